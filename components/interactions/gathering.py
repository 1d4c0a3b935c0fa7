"""Builds everything that the stage writes from the files of all splits."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from components.event_logs.accounts import moment
from components.example_schema import EVAL, EXAMPLE_ID, TIME, TRAIN
from components.interactions.codes import Codes, dense_codes, places_in
from components.interactions.eval_queries import Choices, asked_users, eval_query_table, relevant_pairs
from components.interactions.history import histories
from components.interactions.item_table import ItemRows, item_table
from components.interactions.plan import InteractionsPlan
from components.interactions.positives import WEIGHT, Positives
from components.interactions.reading import check_columns, latest_time
from components.interactions.split import nothing_of, read_split
from models.features.layout import FeatureLayout
from models.recipe.errors import InputError
from models.retrieval.plan import HISTORY

Files = tuple[Sequence[str], Sequence[str]]
"""A split's raw and transformed files, both sorted."""

UNSEEN = 0.5
"""Assumed positives of an item without positives: ln 0 would be an infinite correction."""


@dataclasses.dataclass(frozen=True)
class Gathered:
    """All that the stage writes.

    Attributes:
        train, evaluated: the positives of both splits by (time, example id), as columns: those of the transformed examples;
            `history` (positive, length) int32: the ids of the user's last positives before, of either split, the newest
            first, -1 behind the last; `item`, `user` int32: dense codes over both splits, by rising id; `log_q` float32:
            ln of the item's share of the train positives; `item_row` int32: the item's row in `eval_items`, -1 where it is
            not there; `weight` float32; `example_id` int64; `time` int64, microseconds.
        items, eval_items: as of `item_table`.
        eval_queries: as of `eval_query_table`.
    """

    train: Mapping[str, NDArray[Any]]
    evaluated: Mapping[str, NDArray[Any]]
    items: pa.Table
    eval_items: pa.Table
    eval_queries: pa.Table


def gather(splits: Mapping[str, Files], plan: InteractionsPlan, layout: FeatureLayout, as_of: int) -> Gathered:
    """Reads both splits, and makes what the stage writes.

    Args:
        splits: the files of TRAIN, which include those of the validate split, and of EVAL; those of EVAL may be none.
        plan: the stage's.
        layout: of the transformed examples.
        as_of: the moment up to which the logs are complete, microseconds since 1970 UTC.

    Raises:
        InputError: a column is not there, there is no positive to learn from, or no item is left.
    """
    for raw, _ in splits.values():
        for path in raw[:1]:
            check_columns(path, plan.user, plan.item, (*plan.user_columns, *plan.item_columns))
    before_eval = latest_time(splits[TRAIN][0])
    if before_eval is None:
        raise no_positive(plan)
    window = plan.prior.window if plan.prior else 0
    rows = ItemRows(plan.item, since=(before_eval - window, as_of - window))
    train = read_split(*splits[TRAIN], plan, rows, with_first=False)
    if train is None or not len(train.positives):
        raise no_positive(plan)
    known = rows.rows()
    evaluated = read_split(*splits[EVAL], plan, rows, with_first=True)
    if evaluated is None:
        evaluated = nothing_of(train, splits[TRAIN][0][0], plan)

    both = (train.positives, evaluated.positives)
    user_ids, users = dense_codes([part.ids[plan.user] for part in both])
    item_ids, items = dense_codes([part.ids[plan.item] for part in both])
    counts = np.bincount(items[0], minlength=len(item_ids)).astype(np.int64)

    def table(of: pl.DataFrame, number: int, at: int) -> pl.DataFrame:
        return item_table(
            of,
            plan.item,
            window=number,
            oldest=at - plan.item_ttl if plan.item_ttl is not None else None,
            prior=plan.prior.kind if plan.prior else None,
        )

    eval_items = table(known, 0, before_eval)
    everything = rows.rows()
    all_items = table(everything, 1, as_of)
    if not all_items.height:
        raise no_item(everything[TIME].max(), as_of)
    item_rows = places_in(item_ids, eval_items[plan.item])
    history = _histories(both, users, plan, layout)
    log_q = log_shares(counts, len(train.positives))
    columns = [
        {
            **part.packed,
            **({HISTORY: history[slice(*bounds)]} if plan.history else {}),
            "item": items[number],
            "log_q": log_q[items[number]],
            "user": users[number],
            "item_row": item_rows[items[number]],
            "weight": part.ids[WEIGHT].to_numpy(),
            "example_id": part.ids[EXAMPLE_ID].to_numpy(),
            "time": part.ids[TIME].to_numpy(),
        }
        for number, (part, bounds) in enumerate(zip(both, _bounds(both), strict=True))
    ]
    before, after = (Choices(*codes) for codes in zip(users, items, strict=True))
    relevant = relevant_pairs(before, after, item_rows >= 0, plan.exclude_seen)
    asked = asked_users(relevant, user_ids, plan.max_queries)
    eval_queries = eval_query_table(before, relevant, asked, evaluated.first, user_ids, item_ids, plan.history)
    return Gathered(columns[0], columns[1], to_table(all_items), to_table(eval_items), eval_queries)


def to_table(frame: pl.DataFrame) -> pa.Table:
    """The frame as Arrow, texts as `large_binary`, lists as `large_list`."""
    return frame.to_arrow(compat_level=pl.CompatLevel.oldest())


def _histories(
    both: Sequence[Positives], users: Sequence[Codes], plan: InteractionsPlan, layout: FeatureLayout
) -> NDArray[np.int32]:
    """(positives of both splits, length)."""
    if not plan.history:
        return np.zeros((0, 0), np.int32)
    place = [feature for feature, _ in layout.categorical].index(plan.history_feature)
    times, example_ids = (np.concatenate([part.ids[name].to_numpy() for part in both]) for name in (TIME, EXAMPLE_ID))
    values = np.concatenate([part.packed["categorical"][:, place] for part in both])
    return histories(np.concatenate(users), times, example_ids, values, plan.history)


def _bounds(both: Sequence[Positives]) -> list[tuple[int, int]]:
    middle, end = len(both[0]), len(both[0]) + len(both[1])
    return [(0, middle), (middle, end)]


def no_positive(plan: InteractionsPlan) -> InputError:
    """The error if the train split has no positive."""
    names = [*plan.tasks, *(["the impressions' stream"] if plan.impression else [])]
    return InputError(
        f"retrieval.positives: no example of the train split has a positive of {', '.join(names)} with a value in {plan.user!r} "
        f"and {plan.item!r}, so the model cannot be trained. Check the counts of positives that EventLogs reports, name "
        "a task with positives, or make the train split longer."
    )


def no_item(last_seen: Any, as_of: int) -> InputError:
    """The error if `item_ttl` drops all items."""
    return InputError(
        f"retrieval.item_ttl: no item was shown within that time before logs.as_of ({moment(as_of)}); "
        f"the newest example is of {moment(last_seen)}. Set a longer item_ttl, or another as_of."
    )


def log_shares(counts: NDArray[np.int64], rows: int) -> NDArray[np.float32]:
    """The log-Q correction for negatives that are sampled from the positives.

    log_q[i] = ln(max(counts[i], UNSEEN) / rows), an item's chance to be a negative in a batch of positives.

    Yi, Yang, Hong, Cheng, Heldt, Kumthekar, Zhao, Wei, Chi: Sampling-Bias-Corrected Neural Modeling for Large Corpus Item
    Recommendations, RecSys 2019 (https://doi.org/10.1145/3298689.3346996), who estimate it from the stream; here it is counted.

    Args:
        counts: (item,) train positives of each item, each counting once whatever its weight.
        rows: all train positives, at least 1.
    """
    return np.log(np.maximum(counts, UNSEEN) / rows).astype(np.float32)
