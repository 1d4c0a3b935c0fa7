"""Reads one split of the examples once: its positives, its items, and its users' first positives."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Sequence

import polars as pl

from components.evaluation.reading import matrix
from components.example_schema import EXAMPLE_ID, TIME
from components.interactions.eval_queries import first_of_each
from components.interactions.item_table import ItemRows
from components.interactions.plan import InteractionsPlan
from components.interactions.positives import (
    KNOWN,
    WEIGHT,
    Positives,
    chosen,
    in_order_of_time,
    outcome_known,
    positive_weights,
    positives_of,
)
from components.interactions.reading import in_step, tasks_of
from components.storage.reading import open_parquet

logger = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class Split:
    """What is kept of a split.

    Attributes:
        positives: in the order of time.
        first: for each user the user's column and the raw columns of users at his first positive.
    """

    positives: Positives
    first: pl.DataFrame


def read_split(
    raw: Sequence[str], transformed: Sequence[str], plan: InteractionsPlan, items: ItemRows, with_first: bool
) -> Split | None:
    """Reads a split, in memory that grows with its positives and items only; None where it has no files.

    Args:
        raw, transformed: its files, sorted.
        plan: the stage's.
        items: gets all examples, positive or not.
        with_first: whether the first positives are needed; otherwise the table of them has no rows.

    Raises:
        ValueError: raw and transformed examples are not the same.
    """
    of_user = plan.user_columns if with_first else ()
    parts: list[Positives] = []
    first: list[pl.DataFrame] = []
    nameless = 0
    for examples, beside in in_step(raw, transformed, (plan.user, plan.item), (*plan.item_columns, *of_user)):
        labels, weights = matrix(beside["labels"]), matrix(beside["weights"])
        tasks = tasks_of(beside)
        counts = positive_weights(labels, weights, tasks, plan.tasks, plan.impression)
        known = outcome_known(weights, tasks, plan.tasks, plan.impression)
        examples = examples.with_columns(pl.Series(WEIGHT, counts), pl.Series(KNOWN, known))
        items.add(examples.select(plan.item, *plan.item_columns, TIME, EXAMPLE_ID, WEIGHT, KNOWN))
        which = chosen(examples, plan.user, plan.item)
        nameless += int((counts > 0).sum() - which.sum())
        parts.append(positives_of(examples, beside, which, plan.user, plan.item))
        asked = examples.filter(which) if with_first else examples[:0]
        first.append(first_of_each([asked.select(plan.user, *of_user, TIME, EXAMPLE_ID)], plan.user))
    if nameless:
        words = "%d positives have no value in %r or %r: nobody's choice, or of nothing. They are left out."
        logger.warning(words, nameless, plan.user, plan.item)
    if not parts:
        return None
    return Split(in_order_of_time(parts), first_of_each(first, plan.user).drop(TIME, EXAMPLE_ID))


def nothing_of(split: Split, raw: str, plan: InteractionsPlan) -> Split:
    """A split without examples, with the columns of another one.

    Args:
        split: that one.
        raw: a file of raw examples.
        plan: the stage's.
    """
    packed = {name: values[:0] for name, values in split.positives.packed.items()}
    with open_parquet(raw) as parquet:
        first = parquet.schema_arrow.empty_table().select([plan.user, *plan.user_columns])
    return Split(
        Positives(split.positives.ids[:0], packed),
        pl.DataFrame(pl.from_arrow(first)).with_columns(pl.col(plan.user).list.first()),
    )
