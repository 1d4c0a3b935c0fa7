"""The section `retrieval` of a recipe: the model before the ranker, from a user to the items worth ranking."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Literal

from pydantic import Field

from models.recipe.option_types import LayersOrNone
from models.recipe.section import NonEmpty, Number, Real, Section
from models.recipe.units import Duration

BASELINES = ("popular", "popular_last_day", "co_occurrence")
"""What the two-tower model is always compared with, in the order of the report."""

Beatable = Literal["popular", "popular_last_day", "co_occurrence", "prior"]
"""What a gate may name: BASELINES, and the recipe's prior alone."""

SUFFIX = "_retrieval"
"""What the folder of the pushed retrieval models has behind the name of the ranker's."""


def metric_names(k: Iterable[int]) -> tuple[str, ...]:
    """The metrics of a retrieval model, in the order of the report.

    Args:
        k: lengths of the lists that are measured.
    """
    lengths = sorted(set(k))
    return (
        *(f"{name}@{length}" for name in ("recall", "ndcg") for length in lengths),
        "mrr",
        *(f"{name}@{length}" for name in ("coverage", "popularity_bias") for length in lengths),
    )


class Prior(Section):
    """What is added to an item's score whoever asks: ln of how often it was lately chosen, or of how often when shown."""

    kind: Literal["popularity", "rate"] = Field(
        description="`popularity`: the item's share of the positives in the window. `rate`: its positives for each "
        "impression of known outcome in the window, drawn towards the mean of all items where it has few.",
        examples=["popularity"],
    )
    window: Duration = Field(
        description="How long before the moment of the item table impressions and positives count.", examples=["1d"]
    )


class RetrievalGate(Section):
    """A condition that the retrieval model must hold, or neither model is pushed. At least one limit."""

    metric: str = Field(
        description="`recall@K`, `ndcg@K`, `coverage@K`, `popularity_bias@K` with a K of `retrieval.k`, or `mrr`.",
        examples=["recall@100"],
    )
    at_least: Real | None = Field(default=None, description="Smallest allowed value.", examples=[0.1])
    at_most: Real | None = Field(default=None, description="Largest allowed value.", examples=[20.0])
    beats: Beatable | None = Field(
        default=None,
        description="A simple method that it must not be worse than. `prior` is the recipe's prior alone, without towers.",
        examples=["popular_last_day"],
    )
    max_loss_to_baseline: Annotated[float, Field(ge=0.0), Number] | None = Field(
        default=None,
        description="How much worse than the newest blessed retrieval model older than the candidate it may be, both "
        "asked the same eval queries about the same items. Holds, and says so, where there is none that can be asked.",
        examples=[0.01],
    )


class Retrieval(Section):
    """A two-tower model from a user to items, trained on the same logs and pushed under the same version as the ranker.

    The user's tower reads the features of side `user`, those of `context`, and the user's last items; the item's tower
    the features of side `item`.
    """

    user: NonEmpty = Field(description="Column of the impressions that names the user.", examples=["user_id"])
    item: NonEmpty = Field(description="Column of the impressions that names the item.", examples=["item_id"])
    positives: Mapping[str, Annotated[float, Field(gt=0.0), Number]] = Field(
        min_length=1,
        description="Binary tasks -> weight of an impression in which it happened; several add up. The impressions' own "
        "stream may be named too, where being in the log is the choice (clicks).",
        examples=[{"click": 1.0, "order": 5.0}],
    )
    context: tuple[str, ...] = Field(
        default=(),
        description="Features of side `context` that are known before an item is: device and hour, but no position.",
        examples=[["device"]],
    )
    history: Annotated[int, Field(ge=0, le=1000), Number] = Field(
        default=20,
        description="Last positives of the user before the example that the user's tower reads, as one mean embedding. "
        "Needs a categorical feature of side `item` that reads the column `item` and is not quotient_remainder; 0 for none.",
    )
    dim: Annotated[int, Field(ge=1, le=1024), Number] = Field(
        default=64, description="Width of both towers' vectors, and of the embeddings of users and items themselves."
    )
    units: LayersOrNone = Field(default=(128,), description="Hidden layers of each tower.", examples=[[256, 128]])
    normalise: bool = Field(
        default=False, description="Both vectors of length 1, so that the score is a cosine; wants a small temperature."
    )
    temperature: Annotated[float, Field(gt=0.0), Number] = Field(
        default=1.0, description="Scores are divided by it before the softmax.", examples=[0.05]
    )
    log_q: bool = Field(
        default=True,
        description="Takes ln of an item's share of the train positives off its score while training, as items are drawn as "
        "negatives by that share. The score is then ln p(item | user). Without, it says by how much an item is likelier for "
        "this user than for others, and a `prior` how likely it is for all.",
    )
    remove_accidental_hits: bool = Field(
        default=True, description="The same item elsewhere in the batch is no negative."
    )
    hard_negatives: Annotated[int, Field(ge=1), Number] | None = Field(
        default=None, description="Only so many negatives of the highest scores count in each row.", examples=[256]
    )
    batches: Literal["shuffled", "by_time"] = Field(
        default="shuffled",
        description="`by_time`: a batch is a stretch of the log, the stretches in random order. Negatives are then what was "
        "chosen at the same time, which matters where items live for hours (news). Needs `log_q: false`, as they are no longer "
        "drawn by the shares of the whole train split, and wants a `prior`.",
    )
    prior: Prior | None = Field(
        default=None,
        description="What is added to the served score of each item, measured and not learned. Needs `log_q: false`.",
        examples=[{"kind": "popularity", "window": "4h"}],
    )
    item_ttl: Duration | None = Field(
        default=None,
        description="Items without an impression for this long before the moment of the item table are dropped from it.",
        examples=["30d"],
    )
    exclude_seen: bool = Field(
        default=True,
        description="In the evaluation: items that the user already chose are not answered, and not asked for.",
    )
    epochs: Annotated[int, Field(ge=1), Number] = Field(default=3, description="Passes over the train positives.")
    batch_size: Annotated[int, Field(ge=2, le=16_777_216), Number] = Field(
        default=4096, description="Positives per step; each is a negative of all others."
    )
    learning_rate: Annotated[float, Field(gt=0.0), Number] = Field(default=0.002, description="Of Adam.")
    k: tuple[Annotated[int, Field(ge=1, le=10_000), Number], ...] = Field(
        default=(10, 100), min_length=1, description="Lengths of the lists that are measured.", examples=[[10, 100]]
    )
    max_queries: Annotated[int, Field(ge=1), Number] = Field(
        default=20_000, description="Most users of the eval split that are asked about, chosen by hash."
    )
    gates: tuple[RetrievalGate, ...] = Field(
        default=(),
        description="What must hold for a push, of both models.",
        examples=[[{"metric": "recall@100", "beats": "popular_last_day"}]],
    )
    candidates: Annotated[int, Field(ge=1, le=10_000), Number] = Field(
        default=500, description="Items that the pushed model answers with."
    )
    max_exact_items: Annotated[int, Field(ge=0), Number] = Field(
        default=1_000_000,
        description="Up to this many items the pushed model compares the user with each of them. Beyond it the model "
        "gives vectors only, and `gatewise index` makes an approximate index of them.",
    )
