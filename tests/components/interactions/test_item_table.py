"""The item table by hand, and against a dictionary that is filled example by example."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.example_schema import EXAMPLE_ID, TIME
from components.interactions import item_table as module
from components.interactions.item_table import (
    IMPRESSIONS,
    LAST_SEEN,
    POSITIVES,
    PRIORS,
    ItemRows,
    item_table,
    popularity,
    rate,
    window_columns,
)
from components.interactions.positives import KNOWN, WEIGHT
from models.recipe.retrieval import Prior
from models.retrieval.plan import PRIOR_COLUMN

EXAMPLES = st.lists(
    st.tuples(st.sampled_from([b"a", b"b", b"c", None]), st.integers(0, 9), st.sampled_from([0.0, 1.0, None])),
    min_size=1,
    max_size=40,
)
Row = tuple[bytes | None, int, float | None]
"""Item, time, and what it counts; None: nobody knows yet."""
SCHEMA = {
    "item": pl.Binary,
    "tags": pl.List(pl.Int64),
    TIME: pl.Int64,
    EXAMPLE_ID: pl.Int64,
    WEIGHT: pl.Float32,
    KNOWN: pl.Boolean,
}


def frame(rows: list[Row]) -> pl.DataFrame:
    """Examples whose tag is their id, which is their place; every fourth has none."""
    return pl.DataFrame(
        [
            (item, [number] if number % 4 else [], time, number, weight or 0.0, weight is not None)
            for number, (item, time, weight) in enumerate(rows)
        ],
        schema=SCHEMA,
        orient="row",
    )


def table(rows: pl.DataFrame, **options: Any) -> pl.DataFrame:
    return item_table(rows, "item", **{"window": 0, "oldest": None, "prior": None, **options})


def test_by_hand() -> None:
    rows = ItemRows("item", since=(5,))
    rows.add(frame([(b"b", 3, 1.0), (b"a", 6, 1.0), (b"b", 5, 1.0), (b"b", 5, 0.0)]))
    found = table(rows.rows())
    assert found.columns == ["item", "tags", LAST_SEEN, IMPRESSIONS, POSITIVES, PRIOR_COLUMN]
    # Of equal times the larger id is the latest.
    assert found.rows() == [(b"a", [1], 6, 1, 1, 0.0), (b"b", [3], 5, 3, 2, 0.0)]
    popular = table(rows.rows(), prior="popularity")
    # In the window a and b have a positive each: (1 + 0.5) / (2 + 0.5 * 2).
    np.testing.assert_allclose(popular[PRIOR_COLUMN], np.log([0.5, 0.5]), rtol=1e-6)
    kept = table(rows.rows(), oldest=6, prior="popularity")
    assert kept["item"].to_list() == [b"a"]
    # Alone it has all positives: (1 + 0.5) / (1 + 0.5).
    np.testing.assert_allclose(kept[PRIOR_COLUMN], [0.0], atol=1e-6)
    assert table(rows.rows(), oldest=7).height == 0


def test_a_rate_is_of_the_impressions_whose_outcome_is_known() -> None:
    rows = ItemRows("item", since=(0,))
    # b was shown three times, and of one nobody knows yet what comes of it.
    rows.add(frame([(b"a", 3, 1.0), (b"a", 3, 0.0), (b"b", 4, 1.0), (b"b", 5, 0.0), (b"b", 6, None)]))
    found = table(rows.rows(), prior="rate")
    assert found[IMPRESSIONS].to_list() == [2, 3]
    np.testing.assert_allclose(found[PRIOR_COLUMN], np.log([0.5, 0.5]), rtol=1e-6)


@pytest.mark.parametrize("merge_rows", [0, 1 << 20])
@given(EXAMPLES, st.randoms(), st.integers(1, 7))
def test_like_a_dictionary_whatever_the_order(merge_rows: int, rows: list[Row], random: Any, step: int) -> None:
    expected: dict[bytes, list[Any]] = {}
    for number, (item, time, weight) in enumerate(rows):
        if item is None:
            continue
        known = expected.setdefault(item, [(-1, -1), 0, 0, 0, 0])
        known[0] = max(known[0], (time, number))
        known[1] += 1
        known[2] += bool(weight)
        known[3] += time >= 4 and weight is not None
        known[4] += time >= 4 and bool(weight)
    examples = frame(rows)
    shuffled = list(range(len(rows)))
    random.shuffle(shuffled)
    found = ItemRows("item", since=(100, 4))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_MERGE_ROWS", merge_rows)
        for start in range(0, len(rows), step):
            found.add(examples[shuffled[start : start + step]])
    columns = ["item", "tags", TIME, IMPRESSIONS, POSITIVES, *window_columns(1), *window_columns(0)]
    assert found.rows().select(columns).rows() == [
        (item, [number] if number % 4 else [], time, shown, chosen, late, late_chosen, 0, 0)
        for item, ((time, number), shown, chosen, late, late_chosen) in sorted(expected.items())
    ]


def test_popularity_by_hand() -> None:
    found = popularity(np.array([9, 9, 9]), np.array([3, 0, 1]))
    # 4 positives of 3 items: 5.5 with the half ones.
    np.testing.assert_allclose(np.exp(found), [3.5 / 5.5, 0.5 / 5.5, 1.5 / 5.5], rtol=1e-6)
    assert found.dtype == np.float32
    assert np.exp(found).sum() == pytest.approx(1.0)


def test_rate_by_hand() -> None:
    found = rate(np.array([80, 20, 0]), np.array([8, 12, 0]))
    # 20 of 100: each item has 4 more positives in 20 more impressions.
    np.testing.assert_allclose(np.exp(found), [12 / 100, 16 / 40, 0.2], rtol=1e-6)
    assert found[2] == pytest.approx(math.log(0.2))


def test_a_window_without_positives_or_impressions_tells_no_items_apart() -> None:
    assert rate(np.array([5, 0]), np.array([0, 0])).tolist() == [0.0, 0.0]
    assert rate(np.array([0, 0]), np.array([0, 0])).tolist() == [0.0, 0.0]
    assert popularity(np.array([0, 0]), np.array([0, 0])).tolist() == pytest.approx([math.log(0.5)] * 2)


@pytest.mark.parametrize("kind", PRIORS)
def test_every_kind_of_the_recipe_is_finite_and_rises_with_the_positives(kind: str) -> None:
    assert Prior.model_validate({"kind": kind, "window": "1d"}).kind == kind
    found = PRIORS[kind](np.array([50, 50, 50]), np.array([0, 1, 50]))
    assert np.isfinite(found).all() and (np.diff(found) > 0).all()
