"""The section `retrieval` of a recipe: the model that finds candidate items for a user before the ranker."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Literal

from pydantic import Field

from models.recipe.option_types import LayersOrNone
from models.recipe.section import NonEmpty, Number, Real, Section
from models.recipe.units import Duration

BASELINES = ("popular", "popular_last_day", "co_occurrence")
"""Baselines of the two-tower model, in the order of the report."""

Beatable = Literal["popular", "popular_last_day", "co_occurrence", "prior"]
"""Values of a gate's `beats`: BASELINES, and the recipe's prior on its own."""

SUFFIX = "_retrieval"
"""Suffix that the folder of the pushed retrieval models adds to the ranker's name."""


TRUE_RECALL, WEIGHTED_RECALL = "true_recall", "weighted_recall"


def metric_names(k: Iterable[int], truth: bool = False) -> tuple[str, ...]:
    """The metrics of a retrieval model, in the order of the report.

    Args:
        k: lengths of the measured lists.
        truth: whether the truly best items are known.
    """
    lengths = sorted(set(k))
    recalls = (*([TRUE_RECALL] if truth else []), "recall", WEIGHTED_RECALL, "ndcg")
    return (
        *(f"{name}@{length}" for name in recalls for length in lengths),
        "mrr",
        *(f"{name}@{length}" for name in ("coverage", "popularity_bias") for length in lengths),
    )


class Prior(Section):
    """A value added to an item's score for every user: ln of its share of the recent positives, or of its positives per impression."""

    kind: Literal["popularity", "rate"] = Field(
        description="`popularity`: the item's share of the positives in the window. `rate`: its positives per impression with "
        "a known outcome in the window, shrunk towards the mean of all items if the item has few.",
        examples=["popularity"],
    )
    window: Duration = Field(
        description="Length of the window in which impressions and positives count, counted back from `as_of`; in the "
        "evaluation, from the newest example of the train split.",
        examples=["1d"],
    )


class BestItems(Section):
    """Known true values of items for some users, as `gatewise simulate` writes them. The evaluation then measures `true_recall@K`.

    A file has one row per user and item. Each user needs the rows of the best items only, but more than the largest `k`,
    because items that cannot be answered are left out.
    """

    path: NonEmpty = Field(description="File or glob, relative to `data`.", examples=["best_items/*.parquet"])
    user: NonEmpty = Field(description="Column with the user id.", examples=["user_id"])
    item: NonEmpty = Field(description="Column with the item id.", examples=["item_id"])
    value: NonEmpty = Field(
        description="Column with the true value of the item for the user. A larger value is better.", examples=["value"]
    )


class RetrievalGate(Section):
    """A condition on the retrieval model. If it fails, neither model is pushed. Set at least one limit."""

    metric: str = Field(
        description="`true_recall@K`, `recall@K`, `weighted_recall@K`, `ndcg@K`, `coverage@K` or `popularity_bias@K` with a K from "
        "`retrieval.k`, or `mrr`. True recall needs `retrieval.truth`. Weighted recall weighs a chosen item by 1 / its share of the "
        "impressions. "
        "Coverage is the share of the items that any answer has. Popularity bias is the mean popularity of the answered items "
        "divided by that of the items that the users chose.",
        examples=["recall@100"],
    )
    at_least: Real | None = Field(default=None, description="Smallest allowed value.", examples=[0.1])
    at_most: Real | None = Field(default=None, description="Largest allowed value.", examples=[20.0])
    beats: Beatable | None = Field(
        default=None,
        description="Simple method that the model must not be worse than: the most popular items, those of the last day, items "
        "chosen together with the history, or the recipe's `prior` without towers.",
        examples=["popular_last_day"],
    )
    max_loss_to_baseline: Annotated[float, Field(ge=0.0), Number] | None = Field(
        default=None,
        description="How much worse than the baseline the model may be. The baseline is the newest blessed retrieval model "
        "older than this one. Both answer the same eval queries over the same items. If no baseline can "
        "answer, the gate passes and reports it.",
        examples=[0.01],
    )


class Retrieval(Section):
    """A two-tower model that finds items for a user. It is trained on the same logs as the ranker and pushed under the same version.

    The user tower reads the features of side `user`, the features of `context` and the user's last items. The item
    tower reads the features of side `item`.
    """

    user: NonEmpty = Field(description="Column of the impressions that identifies the user.", examples=["user_id"])
    item: NonEmpty = Field(description="Column of the impressions that identifies the item.", examples=["item_id"])
    positives: Mapping[str, Annotated[float, Field(gt=0.0), Number]] = Field(
        min_length=1,
        description="Binary task -> weight of an impression that is positive for the task. The weights of several tasks add "
        "up. If the log has only choices, such as clicks, and no impressions, name the impression stream itself.",
        examples=[{"click": 1.0, "order": 5.0}],
    )
    context: tuple[str, ...] = Field(
        default=(),
        description="Features of side `context` that are known before an item is chosen, such as device and hour, but not the "
        "position.",
        examples=[["device"]],
    )
    history: Annotated[int, Field(ge=0, le=1000), Number] = Field(
        default=20,
        description="Number of the user's last positives before the example that the user tower reads, as one mean embedding. "
        "It needs a categorical feature of side `item` that reads the column `item` and does not use "
        "`quotient_remainder`. 0: no history.",
    )
    dim: Annotated[int, Field(ge=1, le=1024), Number] = Field(
        default=64, description="Width of both towers' vectors and of the embeddings of user ids and item ids."
    )
    units: LayersOrNone = Field(
        default=(128,), description="Units of the hidden layers of each tower.", examples=[[256, 128]]
    )
    normalise: bool = Field(
        default=False,
        description="Scale both vectors to length 1, so that the score is a cosine. Use a small `temperature` with it.",
    )
    temperature: Annotated[float, Field(gt=0.0), Number] = Field(
        default=1.0, description="Divisor of the scores before the softmax.", examples=[0.05]
    )
    log_q: bool = Field(
        default=True,
        description="Correct for sampling: in training, subtract ln of the item's share of the train positives from its "
        "score, because items are drawn as negatives with that share. The score is then ln p(item | user). If "
        "false, the score leaves out how popular the item is with all users; a `prior` adds it.",
    )
    remove_accidental_hits: bool = Field(
        default=True, description="Do not use the same item elsewhere in the batch as a negative."
    )
    hard_negatives: Annotated[int, Field(ge=1), Number] | None = Field(
        default=None,
        description="Number of negatives per positive that enter the loss: those with the highest scores. By default all do.",
        examples=[256],
    )
    batches: Literal["shuffled", "by_time"] = Field(
        default="shuffled",
        description="Order of the train positives. `shuffled`: random. `by_time`: each batch is a contiguous part of the log, and "
        "the batches are in random order. The negatives were then chosen at the same time as the positive, which "
        "matters if items live for hours (news). With `by_time`, set `log_q: false`, because the negatives no longer "
        "follow the shares of the whole train split, and add a `prior`.",
    )
    prior: Prior | None = Field(
        default=None,
        description="Popularity to add to the served score of each item. It is counted in the logs, not learned. Needs `log_q: false`.",
        examples=[{"kind": "popularity", "window": "4h"}],
    )
    item_ttl: Duration | None = Field(
        default=None,
        description="Drop an item from the item table if it had no impression for this long before `as_of`; in the evaluation, "
        "before the newest example of the train split. By default no item is dropped.",
        examples=["30d"],
    )
    exclude_seen: bool = Field(
        default=True,
        description="In the evaluation, leave out the items that the user already chose, both from the answers and from the "
        "targets.",
    )
    epochs: Annotated[int, Field(ge=1), Number] = Field(
        default=3, description="Number of passes over the train positives."
    )
    batch_size: Annotated[int, Field(ge=2, le=16_777_216), Number] = Field(
        default=4096, description="Positives per step. Each one is a negative for all others."
    )
    learning_rate: Annotated[float, Field(gt=0.0), Number] = Field(default=0.002, description="Learning rate of Adam.")
    k: tuple[Annotated[int, Field(ge=1, le=10_000), Number], ...] = Field(
        default=(10, 100),
        min_length=1,
        description="Lengths of the lists to measure: the K of `recall@K`.",
        examples=[[10, 100]],
    )
    max_queries: Annotated[int, Field(ge=1), Number] = Field(
        default=20_000,
        description="Maximum number of eval queries. A query is one user of the eval split; a hash chooses the users.",
    )
    truth: BestItems | None = Field(
        default=None,
        description="Known true values of items for some users, of simulated logs.",
        examples=[{"path": "best_items/*.parquet", "user": "user_id", "item": "item_id", "value": "value"}],
    )
    gates: tuple[RetrievalGate, ...] = Field(
        default=(),
        description="Conditions for a push of both models.",
        examples=[[{"metric": "recall@100", "beats": "popular_last_day"}]],
    )
    candidates: Annotated[int, Field(ge=1, le=10_000), Number] = Field(
        default=500,
        description="Number of items that the pushed model returns for a user, as candidates for the ranker.",
    )
    max_exact_items: Annotated[int, Field(ge=0), Number] = Field(
        default=1_000_000,
        description="Largest number of items for which the pushed model compares the user with every item. Beyond it, the "
        "model returns vectors only, and `gatewise index` builds an approximate index of them.",
    )
