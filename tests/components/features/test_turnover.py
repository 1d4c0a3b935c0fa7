"""Nights of one vocabulary: three by hand, and random ones against a plain dict."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.columnar.counts import Counts, vocabulary
from components.features.turnover import Rules, Turnover, turn_over

IDS = {"value": pl.Int64, "row": pl.Int64, "first": pl.Int64, "last": pl.Int64, "count": pl.Float64}
SEEN = {"value": pl.Int64, "first": pl.Int64, "last": pl.Int64, "new": pl.Int64}
NONE = pl.DataFrame(schema=IDS)


def night(old: pl.DataFrame, counts: dict[int, int], day: int, **rules: Any) -> tuple[list[tuple[Any, ...]], Turnover]:
    ids, happened = turn_over(old, seen_of(counts, day), Rules(**rules))
    return ids.rows(), happened


def seen_of(counts: dict[int, int], day: int) -> pl.DataFrame:
    return pl.DataFrame([(value, day, day, new) for value, new in counts.items()], schema=SEEN, orient="row")


def frame(rows: Any) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=IDS, orient="row")


def test_three_nights_by_hand() -> None:
    # Three rows. 10 and 20 have as many: by value. 40 is too rare, 50 finds no row.
    first, happened = night(NONE, {20: 4, 10: 4, 30: 6, 50: 3, 40: 1}, 1, capacity=3, least=2)
    assert first == [(30, 0, 1, 1, 6), (10, 1, 1, 1, 4), (20, 2, 1, 1, 4), (40, -1, 1, 1, 1), (50, -1, 1, 1, 3)]
    assert happened == Turnover(kept=0, admitted=3, evicted=0, waiting=2)
    # Half of 6, 4, 4, 1, 3, and 20 is seen again. 50 has 1.5 + 1 = 2.5 > 2 of 10, which goes; 60 has 2 and nobody less.
    second, happened = night(frame(first), {50: 1, 60: 2, 20: 1}, 2, capacity=3, least=2, decay=0.5)
    assert second == [
        (30, 0, 1, 1, 3),
        (50, 1, 1, 2, 2.5),
        (20, 2, 1, 2, 3),
        (10, -1, 1, 1, 2),
        (40, -1, 1, 1, 0.5),
        (60, -1, 2, 2, 2),
    ]
    assert happened == Turnover(kept=2, admitted=1, evicted=1, waiting=3)
    # 30 and 10 were last seen on day 1, before day 2: 30 goes whatever its count, 10 leaves the ledger, and 40 with it.
    third, happened = night(frame(second), {60: 1, 70: 1}, 3, capacity=3, least=2, decay=1.0, forgotten=2)
    assert third == [(60, 0, 2, 3, 3), (50, 1, 1, 2, 2.5), (20, 2, 1, 2, 3), (70, -1, 3, 3, 1)]
    assert happened == Turnover(kept=2, admitted=1, evicted=1, waiting=1)


def test_of_equal_counts_the_unseen_go_first_and_then_the_longest_unseen_and_then_the_largest_value() -> None:
    live = [(1, 0, 0, 9, 4.0), (2, 1, 0, 5, 4.0), (3, 2, 0, 5, 4.0), (4, 3, 0, 5, 3.0)]
    gone = []
    for new in (1, 2, 3, 4):
        # 4 is seen once more: 4.0 as the others, but seen.
        counts = {4: 1} | {100 + number: 5 for number in range(new)}
        ids, _ = night(frame(live), counts, 10, capacity=4, least=1)
        gone.append({value for value, row, *_ in ids if row < 0})
    assert gone == [{3}, {3, 2}, {3, 2, 1}, {3, 2, 1, 4}]


def test_no_id_loses_its_row_to_one_of_the_same_count() -> None:
    ids, happened = night(frame([(1, 0, 0, 0, 2.0)]), {0: 2}, 1, capacity=1, least=1)
    assert ids == [(1, 0, 0, 0, 2), (0, -1, 1, 1, 2)]
    assert happened == Turnover(kept=1, admitted=0, evicted=0, waiting=1)


def test_a_smaller_table_keeps_the_first_rows() -> None:
    live = [(1, 0, 0, 0, 5.0), (2, 1, 0, 0, 4.0), (3, 2, 0, 0, 9.0)]
    ids, happened = night(frame(live), {}, 1, capacity=2, least=1)
    # 3 had the row that is gone, and takes that of 2 by its count.
    assert ids == [(1, 0, 0, 0, 5), (3, 1, 0, 0, 9), (2, -1, 0, 0, 4)]
    assert happened == Turnover(kept=1, admitted=1, evicted=2, waiting=1)


def test_a_larger_table_has_free_rows_for_those_that_wait() -> None:
    ids, _ = night(frame([(1, 0, 0, 0, 5.0), (2, -1, 0, 0, 4.0), (3, -1, 0, 0, 4.5)]), {}, 1, capacity=3, least=4)
    assert ids == [(1, 0, 0, 0, 5), (3, 1, 0, 0, 4.5), (2, 2, 0, 0, 4)]


def reference(
    old: dict[int, tuple[int, int, int, float]], counts: dict[int, int], day: int, rules: Rules
) -> dict[int, tuple[int, int, int, float]]:
    """{value: (row, first, last, count)}, one id after the other."""
    ids = {
        value: (row if row < rules.capacity else -1, first, last, count * rules.decay)
        for value, (row, first, last, count) in old.items()
    }
    for value, new in counts.items():
        row, first, _, count = ids.get(value, (-1, day, day, 0.0))
        ids[value] = row, first, day, count + new

    def forgotten(value: int) -> bool:
        return rules.forgotten is not None and ids[value][2] < rules.forgotten

    for value in sorted(ids, key=lambda value: (-ids[value][3], value)):
        row, first, last, count = ids[value]
        if row >= 0 or count < rules.least or forgotten(value):
            continue
        live = {about[0]: other for other, about in ids.items() if about[0] >= 0}
        free = [place for place in range(rules.capacity) if place not in live]
        if free:
            ids[value] = free[0], first, last, count
            continue
        # Whoever came in tonight has a larger or an equal count, so it is never a victim.
        stale = [other for other in live.values() if forgotten(other)]
        if stale:
            victim = min(stale, key=lambda other: (ids[other][2], ids[other][3], -other))
        else:
            victim = min(live.values(), key=lambda other: (ids[other][3], other in counts, ids[other][2], -other))
            if ids[victim][3] >= count:
                continue
        ids[value] = ids[victim][0], first, last, count
        ids[victim] = -1, *ids[victim][1:]
    waiting = [value for value, about in ids.items() if about[0] < 0 and not forgotten(value)]
    waiting = sorted(waiting, key=lambda value: (-ids[value][3], value))[: rules.capacity]
    return {value: about for value, about in ids.items() if about[0] >= 0 or value in waiting}


NIGHTS = st.lists(st.dictionaries(st.integers(0, 12), st.integers(1, 6), max_size=8), min_size=1, max_size=8)


@settings(max_examples=300, deadline=None)
@given(
    nights=NIGHTS,
    capacity=st.integers(1, 6),
    least=st.integers(1, 4),
    decay=st.sampled_from([1.0, 0.5, 0.75]),
    forget_after=st.sampled_from([None, 1, 2, 3]),
    seed=st.integers(0, 99),
)
def test_random_nights_equal_a_plain_dict(
    nights: list[dict[int, int]], capacity: int, least: int, decay: float, forget_after: int | None, seed: int
) -> None:
    ids, plain = NONE, {}
    for day, counts in enumerate(nights):
        forgotten = None if forget_after is None else day - forget_after
        rules = Rules(capacity=capacity, least=least, decay=decay, forgotten=forgotten)
        before = dict(ids.filter(pl.col("row") >= 0).select("value", "row").rows())
        shuffled = [frame.sample(fraction=1.0, shuffle=True, seed=seed) for frame in (ids, seen_of(counts, day))]
        ids, happened = turn_over(ids, seen_of(counts, day), rules)
        again, _ = turn_over(*shuffled, rules)
        assert again.equals(ids)
        plain = reference(plain, counts, day, rules)
        assert {value: about for value, *about in ids.rows()} == {value: [*about] for value, about in plain.items()}
        after = dict(ids.filter(pl.col("row") >= 0).select("value", "row").rows())
        assert sorted(after.values()) == list(range(len(after)))
        assert len(before) <= len(after) <= capacity
        staying = before.keys() & after.keys()
        assert all(before[value] == after[value] for value in staying)
        assert happened == Turnover(
            kept=len(staying),
            admitted=len(after) - len(staying),
            evicted=len(before) - len(staying),
            waiting=ids.height - len(after),
        )


@pytest.mark.parametrize(
    "values",
    [
        pa.array([5, -3, 2**62, 0, 9], pa.int64()),
        pa.array([0.5, -3.0, 1e30, 0.0, 9.0], pa.float32()),
        pa.array([b"b", b"\xff", b"a", b"aa", "é".encode()], pa.large_binary()),
    ],
)
def test_the_first_night_gives_the_vocabulary_of_a_run_without_nights(values: pa.Array) -> None:
    counts = np.array([2, 2, 2, 1, 7])
    schema = {**IDS, "value": pl.Series(values).dtype}
    seen = pl.DataFrame({"value": pl.Series(values), "first": 1, "last": 1, "new": counts})
    for capacity, least in ((5, 1), (3, 1), (5, 2)):
        ids, _ = turn_over(pl.DataFrame(schema=schema), seen, Rules(capacity=capacity, least=least))
        live = ids.filter(pl.col("row") >= 0).get_column("value")
        assert live.to_list() == vocabulary(Counts(values, counts), capacity, least).to_pylist()
