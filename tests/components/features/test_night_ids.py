"""Nights of the stage: what the first one writes, what a later one takes over, and what the graph says then."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf
import tensorflow_transform as tft

from components.features.analysers import analyse, conclude, merge
from components.features.analysis_pass import write
from components.features.night_ids import counted_since, night_ids, read_past
from components.features.plan import FeaturesPlan, IdsPlan
from models.features.ids import moved, read_ids
from models.features.layout import Analysed, FeatureLayout, first_vocabulary_id
from models.features.value_ids import out_of_vocabulary_ids
from models.recipe.errors import InputError

DAY = 86_400_000_000
FEATURES: dict[str, dict[str, Any]] = {
    "device": {"kind": "categorical", "vocabulary": 2, "oov_buckets": 3},
    "item": {"kind": "categorical", "type": "integer", "embedding": "item", "vocabulary": 4, "oov_buckets": 2},
    "seen": {
        "kind": "multivalued",
        "type": "integer",
        "embedding": "item",
        "vocabulary": 4,
        "oov_buckets": 2,
        "max_length": 2,
    },
    "rate": {"kind": "categorical", "column": "share", "type": "number", "vocabulary": 3, "min_count": 2},
    "price": {"kind": "numeric"},
    "age": {"kind": "bucketised", "buckets": 2},
    "place": {"kind": "categorical", "vocabulary": None, "hash_buckets": 5},
}
FIRST: dict[str, tuple[str, list[Any]]] = {
    "device": ("bytes", [[b"tv"], [b"tv"], [b"phone"], [b""], [b"watch"], [b"phone"], [b"tv"], [b"a\nb"]]),
    "item": ("int", [[1], [1], [2], [2], [3], None, [9], [1]]),
    "seen": ("int", [[1, 2, 99], [], None, [3], [5], [2], [1], [3]]),
    "share": ("float", [[0.5], [0.25], [0.5], [float("nan")], [0.25], [0.1], [0.5], None]),
    "price": ("float", [[1.0], [3.0], [1.0], [3.0], [1.0], [3.0], [1.0], [3.0]]),
    "age": ("float", [[1.0], [2.0], [3.0], [4.0], [1.0], [2.0], [3.0], [4.0]]),
    "place": ("bytes", [[b"x"]] * 8),
}
SECOND: dict[str, tuple[str, list[Any]]] = {
    # The first row is older than the ancestor's cursor: it counts for nothing but new tables.
    "device": ("bytes", [[b"radio"], [b"phone"], [b"phone"], [b"radio"]]),
    "item": ("int", [[1], [7], [7], [7]]),
    "seen": ("int", [[7, 7], [7], [2], None]),
    "share": ("float", [None] * 4),
    "price": ("float", [None] * 4),
    "age": ("float", [[9.0], [9.0], [9.0], [9.0]]),
    "place": ("bytes", [None] * 4),
}
FIRST_TIMES, SECOND_TIMES = [10, 20, 30, 40, 50, 60, 70, 80], [79, 90, 100, 110]


@pytest.fixture
def night_plan(make_plan: Any) -> Any:
    """The plan of a night; the first one if `state` is empty."""

    def make(state: str = "", features: Any = FEATURES, **changes: Any) -> FeaturesPlan:
        ids = {"state": state, "learned_until": 85 if state else None, "day": 2 * DAY if state else DAY}
        ids |= {"half_life": DAY, "forget_after": None}
        plan: FeaturesPlan = make_plan(features).model_copy(update={"ids": IdsPlan(**(ids | changes))})
        return plan

    return make


@pytest.fixture
def make_night(make_table: Any) -> Any:
    """Writes the TransformGraph of a night and returns its folder as the state of the next one."""

    def make(root: Path, plan: FeaturesPlan, columns: Any, times: Sequence[int], order: Sequence[int] = ()) -> Path:
        table = timed(make_table(columns, plan.tasks), times)
        rows = list(order) or list(range(table.num_rows))
        since = counted_since(plan, read_past(plan))
        # One batch for each two rows.
        batches = [table.take(pa.array(rows[at : at + 2])).combine_chunks() for at in range(0, len(rows), 2)]
        analysis = merge([analyse(batch.to_batches()[0], plan.features, since) for batch in batches])
        write(analysis, plan.model_dump_json(), str(root / "features"))
        return root

    return make


def timed(table: pa.Table, times: Sequence[int]) -> pa.Table:
    column = pa.array([[time] for time in times], pa.large_list(pa.int64()))
    return table.append_column("gatewise/event_time", column)


def rows_of(folder: Path, table: str) -> list[tuple[Any, ...]]:
    return read_ids(folder).of_table(table).drop("table").rows()


def test_two_nights_by_hand(tmp_path: Path, night_plan: Any, make_night: Any) -> None:
    first = make_night(tmp_path / "1", night_plan(), FIRST, FIRST_TIMES)
    assert rows_of(first / "features", "device") == [
        (b"tv", 0, 10, 70, 3),
        (b"phone", 1, 30, 60, 2),
        # "" and a text with a line break have no place in a vocabulary.
        (b"watch", -1, 50, 50, 1),
    ]
    # item: 1 x3, 2 x2, 3, 9; seen, two of each row: 1 x2, 2 x2, 3 x2, 5.
    assert rows_of(first / "features", "item") == [
        (b"1", 0, 10, 80, 5),
        (b"2", 1, 10, 60, 4),
        (b"3", 2, 40, 80, 3),
        (b"5", 3, 50, 50, 1),
        (b"9", -1, 70, 70, 1),
    ]
    assert rows_of(first / "features", "rate") == [
        (b"0.5", 0, 10, 70, 3),
        (b"0.25", 1, 20, 50, 2),
        (b"0.1", -1, 60, 60, 1),
    ]
    layout = FeatureLayout.load(first / "features")
    rows = {"device": (6, 4), "item": (7, 4), "rate": (5, 4), "age": (3, 4), "place": (6, 4)}
    assert layout.tables == rows

    second = make_night(tmp_path / "2", night_plan(str(first)), SECOND, SECOND_TIMES)
    # Half of 3, 2, 1; phone twice more; radio once, because the other one is old: less than the 1.5 of tv.
    assert rows_of(second / "features", "device") == [
        (b"tv", 0, 10, 70, 1.5),
        (b"phone", 1, 30, 100, 3),
        (b"radio", -1, 110, 110, 1),
        (b"watch", -1, 50, 50, 0.5),
    ]
    # 7 four times, in the row of 5, which had 0.5.
    assert rows_of(second / "features", "item") == [
        (b"1", 0, 10, 80, 2.5),
        (b"2", 1, 10, 100, 3),
        (b"3", 2, 40, 80, 1.5),
        (b"7", 3, 90, 110, 4),
        (b"5", -1, 50, 50, 0.5),
        (b"9", -1, 70, 70, 0.5),
    ]
    # No value tonight: all are still there, with half of their counts.
    assert [row[:2] + row[4:] for row in rows_of(second / "features", "rate")] == [
        (b"0.5", 0, 1.5),
        (b"0.25", 1, 1.0),
        (b"0.1", -1, 0.5),
    ]
    before, after = (Analysed.from_json((root / "features/analysed.json").read_text()) for root in (first, second))
    assert (
        (after.scaling, after.boundaries)
        == (before.scaling, before.boundaries)
        == ({"price": (2.0, 1.0)}, {"age": (3.0,)})
    )
    assert FeatureLayout.load(second / "features").tables == rows
    assert json.loads((second / "features/ids.json").read_text()) == {
        "day": 2 * DAY,
        "tables": {
            "device": {"rows": 2, "kept": 2, "admitted": 0, "evicted": 0, "waiting": 2},
            "item": {"rows": 4, "kept": 3, "admitted": 1, "evicted": 1, "waiting": 2},
            "rate": {"rows": 3, "kept": 2, "admitted": 0, "evicted": 0, "waiting": 1},
        },
    }
    found = moved(read_ids(first / "features"), read_ids(second / "features"))
    assert {table: old.tolist() for table, old in found.items()} == {
        "device": [0, 1],
        "item": [0, 1, 2, -1],
        "rate": [0, 1],
    }


def looked_up(folder: Path, columns: dict[str, list[Any]]) -> dict[str, np.ndarray]:
    """What the saved graph says of rows of one value."""
    output = tft.TFTransformOutput(str(folder))
    saved = tf.saved_model.load(output.transform_savedmodel_dir)
    spec = output.raw_feature_spec()
    values = {name: tf.constant([[value] for value in some], spec[name].dtype) for name, some in columns.items()}
    rows = len(next(iter(columns.values())))
    sparse = {
        name: tf.sparse.from_dense(values[name])
        if name in values
        else tf.SparseTensor(tf.zeros((0, 2), tf.int64), tf.zeros((0,), about.dtype), (rows, 0))
        for name, about in spec.items()
    }
    return {name: found.numpy() for name, found in saved.transform_fn(sparse).items()}


def test_the_graph_gives_the_rows_of_the_ledger(tmp_path: Path, night_plan: Any, make_night: Any) -> None:
    state = make_night(tmp_path / "1", night_plan(), FIRST, FIRST_TIMES)
    plan = night_plan(str(state))
    folder = make_night(tmp_path / "2", plan, SECOND, SECOND_TIMES) / "features"
    ids = read_ids(folder)
    for name, table, kind in (("device", "device", bytes), ("item", "item", int), ("rate", "rate", float)):
        feature = plan.features[name]
        rows = ids.of_table(table)
        lines = rows.get_column("value").to_list()
        found = looked_up(folder, {feature.column or name: [kind(line) for line in lines]})[name]
        outside = out_of_vocabulary_ids(lines, feature)
        expected = [
            first_vocabulary_id(feature) + row if row >= 0 else other
            for row, other in zip(rows.get_column("row").to_list(), outside.tolist(), strict=True)
        ]
        assert found.tolist() == expected


def test_the_order_of_the_rows_gives_the_same_bytes(tmp_path: Path, night_plan: Any, make_night: Any) -> None:
    # One graph each: the names of its parts depend on nothing else.
    states = []
    for number, order in enumerate(([], [3, 0, 2, 7, 6, 1, 5, 4])):
        root = make_night(tmp_path / str(number), night_plan(), FIRST, FIRST_TIMES, order)
        states.append((root / "features/ids.parquet").read_bytes())
    assert states[0] == states[1]


def test_the_first_night_has_the_vocabularies_and_constants_of_a_run_without_nights(
    night_plan: Any, make_plan: Any, make_table: Any
) -> None:
    plan = night_plan()
    batch = timed(make_table(FIRST, plan.tasks), FIRST_TIMES).to_batches()[0]
    plain = conclude(analyse(batch, plan.features), plan.features)
    analysis = analyse(batch, plan.features, counted_since(plan, None))
    found = conclude(analysis, plan.features, None, night_ids(analysis, plan.features, plan.ids, None))
    assert found[0] == plain[0]
    assert {table: values.to_pylist() for table, values in found[1].items()} == {
        table: values.to_pylist() for table, values in plain[1].items()
    }


def concluded(plan: FeaturesPlan, batch: pa.RecordBatch) -> tuple[Analysed, dict[str, pa.Array]]:
    past = read_past(plan)
    analysis = analyse(batch, plan.features, counted_since(plan, past))
    assert plan.ids is not None
    return conclude(analysis, plan.features, past, night_ids(analysis, plan.features, plan.ids, past))


def test_what_is_new_in_the_recipe_is_analysed_from_the_whole_train_split(
    tmp_path: Path, night_plan: Any, make_night: Any, make_table: Any
) -> None:
    small = {name: FEATURES[name] for name in ("device", "price", "age")}
    state = str(make_night(tmp_path / "1", night_plan(features=small), FIRST, FIRST_TIMES))
    changed = {
        "age": {"kind": "bucketised", "buckets": 2},
        "price": {"kind": "numeric", "transform": "log1p"},
        "item": {"kind": "categorical", "type": "integer", "vocabulary": 9},
        "size": {"kind": "numeric", "column": "age", "scale": "none"},
    }
    columns = SECOND | {"price": ("float", [[2.0], [2.0], [2.0], [2.0]])}
    plan = night_plan(state, changed)
    batch = timed(make_table(columns, plan.tasks), SECOND_TIMES).to_batches()[0]
    analysed, vocabularies = concluded(plan, batch)
    # 1 is of the old row. `device` is gone; `price` is another number now; `age` stays.
    assert vocabularies["item"].to_pylist() == [7, 1]
    assert list(vocabularies) == ["item"]
    assert analysed.boundaries == {"age": (3.0,)}
    assert analysed.scaling["price"][0] == pytest.approx(np.log1p(2.0))
    assert analysed.scaling["size"] == (0.0, 1.0)
    # A new feature without a value is still a mistake.
    plan = night_plan(state, {"cost": {"kind": "numeric", "column": "price"}})
    batch = timed(make_table(SECOND, plan.tasks), SECOND_TIMES).to_batches()[0]
    with pytest.raises(
        InputError, match="Feature 'cost': the column 'price' has no value in any of the 4 train examples"
    ):
        concluded(plan, batch)


def test_forgotten_ids_give_their_rows_away_but_not_on_the_first_night(
    tmp_path: Path, night_plan: Any, make_night: Any, make_table: Any
) -> None:
    small = {"item": {"kind": "categorical", "type": "integer", "vocabulary": 2}}
    day = {"day": 100, "half_life": 10**9, "forget_after": 30}
    columns = {"item": ("int", [[1]] * 6 + [[2], [2]])}
    state = str(make_night(tmp_path / "1", night_plan(features=small, **day), columns, [1, 2, 3, 4, 5, 6, 75, 80]))
    # 1 was last seen at 6, long before 100 - 30, and has its row all the same.
    assert rows_of(tmp_path / "1" / "features", "item") == [(b"1", 0, 1, 6, 6), (b"2", 1, 75, 80, 2)]
    for moment, items, expected in (
        (110, [[7], [8]], [7, 2]),  # 2 was last seen at 110 - 30, which is not before it
        (111, [[7], [8]], [7, 8]),
        (111, [[7]], [7, 2]),  # the longest unseen first
        (111, [None], [1, 2]),  # nobody needs a row
    ):
        plan = night_plan(state, small, **(day | {"day": moment}))
        batch = timed(make_table({"item": ("int", items)}, plan.tasks), [85, 90][: len(items)]).to_batches()[0]
        assert concluded(plan, batch)[1]["item"].to_pylist() == expected


def test_values_of_another_type_are_another_table(
    tmp_path: Path, night_plan: Any, make_night: Any, make_table: Any
) -> None:
    small = {"item": {"kind": "categorical", "type": "integer"}}
    state = str(make_night(tmp_path / "1", night_plan(features=small), FIRST, FIRST_TIMES))
    plan = night_plan(state, {"item": {"kind": "categorical", "type": "number"}})
    columns = {"item": ("float", [[7.5], [7.0], [7.5], [1.0]])}
    _, vocabularies = concluded(plan, timed(make_table(columns, plan.tasks), SECOND_TIMES).to_batches()[0])
    assert vocabularies["item"].to_pylist() == [7.5, 1.0, 7.0]


def test_a_state_without_its_files_is_refused(tmp_path: Path, night_plan: Any, make_night: Any) -> None:
    small = {"item": {"kind": "categorical", "type": "integer"}}
    state = make_night(tmp_path / "1", night_plan(features=small), FIRST, FIRST_TIMES)
    plan = night_plan(str(state), small)
    text = (state / "features/analysed.json").read_text()
    (state / "features/analysed.json").write_text(text[:40])
    with pytest.raises(InputError, match=r"analysed\.json: expected the constants of the features of an earlier run"):
        read_past(plan)
    shutil.rmtree(state / "features")
    (state / "features").mkdir()
    with pytest.raises(InputError, match=r"ids\.parquet: expected the id ledger"):
        read_past(plan)


def test_counts_and_limits_that_are_not_exact_stay_known_as_such(
    tmp_path: Path, night_plan: Any, make_night: Any, make_table: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = {
        "item": {"kind": "categorical", "type": "integer", "vocabulary": 2, "min_count": 2},
        "age": {"kind": "bucketised", "buckets": 2},
    }
    monkeypatch.setattr("components.columnar.frequent.MOST_DISTINCT", 4)
    # Room for eight of nine: one is taken from all counts.
    items = [[1], [1], [1], [2], [3], [4], [5], [6], [7], [8], [9]]
    columns = {"item": ("int", items), "age": ("float", [[float(age)] for [age] in items])}
    state = make_night(tmp_path / "1", night_plan(features=small), columns, range(11))
    path = state / "features/analysed.json"
    analysed = Analysed.from_json(path.read_text())
    assert analysed.count_errors == {"item": 1}
    assert rows_of(state / "features", "item") == [(b"1", 0, 0, 2, 2)]
    path.write_text(dataclasses.replace(analysed, limit_errors={"age": 0.25}).to_json())
    plan = night_plan(str(state), small)
    columns = {"item": ("int", [[1], [7], None, None]), "age": ("float", [[1.0]] * 4)}
    analysed, vocabularies = concluded(plan, timed(make_table(columns, plan.tasks), SECOND_TIMES).to_batches()[0])
    # Half of the error, rounded up: 7 may have occurred twice.
    assert (analysed.count_errors, analysed.limit_errors) == ({"item": 1}, {"age": 0.25})
    assert vocabularies["item"].to_pylist() == [1, 7]


def test_a_night_without_a_vocabulary_has_an_empty_ledger(tmp_path: Path, night_plan: Any, make_night: Any) -> None:
    state = make_night(tmp_path / "1", night_plan(features={"price": FEATURES["price"]}), FIRST, FIRST_TIMES)
    assert read_ids(state / "features").rows.is_empty()
    assert json.loads((state / "features/ids.json").read_text()) == {"day": DAY, "tables": {}}


def test_a_ledger_is_there_whole_or_not_at_all(
    tmp_path: Path, night_plan: Any, make_night: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(table: pa.Table, path: str, **_: Any) -> None:
        Path(path).write_bytes(b"PAR1")
        raise OSError("No space left on device")

    plan = night_plan(features={"item": {"kind": "categorical", "type": "integer"}})
    monkeypatch.setattr("models.features.ids.pq.write_table", die)
    with pytest.raises(OSError, match="No space left"):
        make_night(tmp_path / "1", plan, FIRST, FIRST_TIMES)
    assert [path.name for path in (tmp_path / "1" / "features").iterdir() if path.suffix not in ("", ".pb")] == []
    assert not list((tmp_path / "1" / "features").glob(".ids*"))
    # Beam runs the step again, in the same folder.
    monkeypatch.undo()
    make_night(tmp_path / "1", plan, FIRST, FIRST_TIMES)
    assert read_ids(tmp_path / "1" / "features").vocabulary("item").to_list() == [b"1", b"2", b"3", b"9"]


def test_a_table_has_room_for_twice_the_values_of_its_cold_start(
    tmp_path: Path, night_plan: Any, make_night: Any
) -> None:
    def features(most: int) -> dict[str, dict[str, Any]]:
        return {
            "item": {"kind": "categorical", "type": "integer", "vocabulary": most, "min_count": 2},
            "few": {"kind": "categorical", "column": "item", "type": "integer", "vocabulary": 10},
        }

    def rows(folder: Path) -> int:
        tables = FeatureLayout.load(folder / "features").tables
        assert tables["few"][0] == 1 + 1 + 10
        return tables["item"][0] - 2

    values = [[number // 2] for number in range(80)] + [[1000 + number] for number in range(20)]  # 40 of them twice
    first = make_night(tmp_path / "1", night_plan(features=features(1000)), {"item": ("int", values)}, range(100))
    assert rows(first) == 80
    more = [[5000 + number // 2] for number in range(100)]
    plan = night_plan(str(first), features(1000), learned_until=100)
    second = make_night(tmp_path / "2", plan, {"item": ("int", more)}, range(100, 200))
    assert rows(second) == 80 and len(read_ids(second / "features").vocabulary("item")) == 80
    assert (
        rows(make_night(tmp_path / "3", night_plan(features=features(70)), {"item": ("int", values)}, range(100))) == 70
    )
    few = {"item": ("int", values[:20])}
    assert rows(make_night(tmp_path / "4", night_plan(features=features(1000)), few, range(20))) == 64
