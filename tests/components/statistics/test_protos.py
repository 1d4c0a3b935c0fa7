"""The fields of the protos, against TFDV's own on the same rows."""

from __future__ import annotations

import functools
import math

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pytest
import tensorflow_data_validation as tfdv
from tensorflow_data_validation.statistics import stats_impl
from tensorflow_metadata.proto.v0 import schema_pb2

from components.columnar import cells
from components.statistics import frequencies, protos
from components.statistics.protos import dataset
from components.statistics.summary import merge_all, summarise

ROWS = 3000
RANDOM = np.random.default_rng(7)

BYTES, INTS, FLOATS = (pa.large_list(kind) for kind in (pa.large_binary(), pa.int64(), pa.float32()))


def _some(values, share=0.9):
    return [[value] if keep else None for value, keep in zip(values, RANDOM.random(ROWS) < share, strict=True)]


def _lists(most, make):
    return [[make() for _ in range(size)] or None for size in RANDOM.integers(0, most + 1, ROWS)]


COLUMNS = {
    "device": pa.array(_some(RANDOM.choice([b"phone", b"tablet", b"tv"], ROWS)), BYTES),
    "name": pa.array(_some([b"name-%d" % value for value in RANDOM.integers(0, 900, ROWS)]), BYTES),
    "umlaut": pa.array(_some(RANDOM.choice(["ä", "日本", ""], ROWS)), pa.large_list(pa.large_string())).cast(BYTES),
    "long": pa.array(_some([b"x" * 900, b"y" * 900, b"z"] * (ROWS // 3)), BYTES),
    "tags": pa.array(_lists(9, lambda: b"tag-%d" % RANDOM.integers(0, 40)), BYTES),
    "no_text": pa.array([None] * ROWS, BYTES),
    "age": pa.array(_some(RANDOM.integers(-20, 80, ROWS)), INTS),
    "large": pa.array(_some(RANDOM.integers(0, 2**52, ROWS)), INTS),
    "history": pa.array(_lists(5, lambda: int(RANDOM.integers(0, 300))), INTS),
    "no_whole": pa.array([None] * ROWS, INTS),
    "price": pa.array(_some(RANDOM.lognormal(3.0, 1.0, ROWS).astype(np.float32)), FLOATS),
    "rating": pa.array(_some(np.round(RANDOM.normal(3.5, 1.0, ROWS), 1).astype(np.float32)), FLOATS),
    "constant": pa.array([[2.5]] * ROWS, FLOATS),
    "label": pa.array(_some((RANDOM.random(ROWS) < 0.1).astype(np.float32)), FLOATS),
    "vector": pa.array(_lists(4, RANDOM.random), FLOATS),
    "with_nan": pa.array(_some(np.where(RANDOM.random(ROWS) < 0.2, np.nan, RANDOM.random(ROWS))), FLOATS),
    "only_nan": pa.array(_some(np.full(ROWS, np.nan)), FLOATS),
    "infinite": pa.array(_some(np.where(RANDOM.random(ROWS) < 0.1, np.inf, RANDOM.random(ROWS))), FLOATS),
    "no_float": pa.array([None] * ROWS, FLOATS),
}
IDS = ("age", "history", "large", "no_whole")


def ours(columns, ids=(), parts=7, as_categories=False):
    rows = len(next(iter(columns.values())))
    step = -(-rows // parts)
    found = {
        name: merge_all(name, (summarise(name, column.slice(at, step), name in ids) for at in range(0, rows, step)))
        for name, column in columns.items()
    }
    return dataset(rows, {name: found[name] for name in (ids if as_categories else columns)}, as_categories)


def theirs(columns):
    batch = pa.record_batch(list(columns.values()), names=list(columns))
    with np.errstate(invalid="ignore"):  # of infinite values
        return stats_impl.generate_statistics_in_memory(batch, tfdv.StatsOptions())


def by_name(statistics):
    return {feature.path.step[0]: feature for feature in statistics.datasets[0].features}


@functools.cache
def all_ours():
    return by_name(ours(COLUMNS))


@functools.cache
def all_theirs():
    return by_name(theirs(COLUMNS))


def test_rows_and_the_order_of_the_columns():
    [statistics] = ours(COLUMNS).datasets
    assert statistics.num_examples == ROWS
    assert [feature.path.step[0] for feature in statistics.features] == list(COLUMNS)


@pytest.mark.parametrize("name", [name for name in COLUMNS if COLUMNS[name].type == BYTES])
def test_texts_as_tfdv_has_them(name):
    assert all_ours()[name] == all_theirs()[name]


def test_ids_as_tfdv_has_categories(tmp_path):
    """In Beam: the sketch that TFDV takes in memory holds 1,024 values, and orders ids as texts."""
    schema, path = schema_pb2.Schema(), str(tmp_path / "theirs.pb")
    for name in IDS:
        schema.feature.add(name=name, type=schema_pb2.INT).int_domain.is_categorical = True
    batch = pa.record_batch([COLUMNS[name] for name in IDS], names=list(IDS))
    with beam.Pipeline("FnApiRunner") as pipeline:
        _ = (
            pipeline
            | beam.Create([batch]).with_output_types(pa.RecordBatch)
            | tfdv.GenerateStatistics(tfdv.StatsOptions(schema=schema))
            | tfdv.WriteStatisticsToBinaryFile(path)
        )
    assert by_name(ours(COLUMNS, IDS, as_categories=True)) == by_name(tfdv.load_stats_binary(path))


@pytest.mark.parametrize("name", [name for name in COLUMNS if COLUMNS[name].type != BYTES])
def test_numbers_as_tfdv_has_them(name):
    mine, other = all_ours()[name], all_theirs()[name]
    assert (mine.type, mine.path) == (other.type, other.path)
    mine, other = mine.num_stats, other.num_stats
    assert mine.common_stats == other.common_stats
    assert (mine.num_zeros, mine.min, mine.max) == (other.num_zeros, other.min, other.max)
    assert mine.mean == pytest.approx(other.mean, rel=1e-9, nan_ok=True)
    assert mine.std_dev == pytest.approx(other.std_dev, rel=1e-9, abs=1e-12)
    assert [(h.type, h.num_nan) for h in mine.histograms] == [(h.type, h.num_nan) for h in other.histograms]
    values = mine.common_stats.tot_num_values
    assert _rank_error(name, mine.median, other.median) <= 0.01 * values
    for one, two in zip(mine.histograms, other.histograms, strict=True):
        assert len(one.buckets) == len(two.buckets)
        for ours_, theirs_ in zip(one.buckets, two.buckets, strict=True):
            if one.type == one.STANDARD:
                assert ours_.low_value == pytest.approx(theirs_.low_value, rel=1e-6)
                assert ours_.high_value == pytest.approx(theirs_.high_value, rel=1e-6)
                # TFDV's own stated error, and one of the thousand quantiles that it shares out
                assert abs(ours_.sample_count - theirs_.sample_count) <= 0.01 * values + values / 1000
            else:
                assert _rank_error(name, ours_.high_value, theirs_.high_value) <= 0.01 * values
    standard = mine.histograms[0] if mine.histograms else None
    if standard and standard.buckets:
        assert sum(bucket.sample_count for bucket in standard.buckets) == values - standard.num_nan


def _rank_error(name, one, other):
    """How many values lie strictly between the two."""
    low, high = sorted((one, other))
    values = np.asarray(COLUMNS[name].flatten().to_numpy(zero_copy_only=False), np.float64)
    return int(((values > low) & (values < high)).sum())


def test_quantiles_are_those_of_tfdv_while_its_sketch_holds_every_value():
    few = {name: column.slice(0, 60) for name, column in COLUMNS.items()}
    mine, other = by_name(ours(few)), by_name(theirs(few))
    for name in COLUMNS:
        if mine[name].WhichOneof("stats") == "num_stats":
            for one, two in zip(mine[name].num_stats.histograms[1:], other[name].num_stats.histograms[1:], strict=True):
                assert one == two, name
            assert mine[name].num_stats.median == other[name].num_stats.median, name


def test_texts_that_are_not_utf8_are_counted_each_and_named_alike():
    found = by_name(ours({"raw": pa.array([[b"\xff"], [b"\xfe"], [b"\xfe"], [b"ok"]], BYTES)}))["raw"].string_stats
    assert found.invalid_utf8_count == 3
    assert found.unique == 3
    assert [(value.value, value.frequency) for value in found.top_values] == [
        ("__BYTES_VALUE__", 2),
        ("__BYTES_VALUE__", 1),
        ("ok", 1),
    ]


def test_a_median_by_hand():
    found = by_name(ours({"x": pa.array([[1.0], [2.0], [4.0], [8.0], [9.0]], FLOATS)}))["x"].num_stats
    assert (found.mean, found.median, found.min, found.max) == (4.8, 4.0, 1.0, 9.0)
    assert found.std_dev == pytest.approx(math.sqrt((3.8**2 + 2.8**2 + 0.8**2 + 3.2**2 + 4.2**2) / 5))


@pytest.mark.parametrize("parts", [1, 3, 50])
def test_the_same_bytes_however_the_rows_are_divided(parts):
    given = {name: column for name, column in COLUMNS.items() if name != "infinite"}
    one = ours(given, IDS, parts=parts).SerializeToString(deterministic=True)
    assert one == ours(given, IDS).SerializeToString(deterministic=True)


def test_a_column_of_more_values_than_are_counted_exactly_says_so(monkeypatch):
    monkeypatch.setattr(frequencies.merge_frequencies, "__defaults__", (100, 2**26))
    monkeypatch.setattr(cells.merge_cells, "__defaults__", (100,))
    found = by_name(ours(COLUMNS))
    notes = {name: {note.name: note.num for note in feature.custom_stats} for name, feature in found.items()}
    assert set(notes["name"]) == {protos.UNDERCOUNT} and 1 <= notes["name"][protos.UNDERCOUNT] <= ROWS / 100
    assert found["name"].string_stats.unique == all_theirs()["name"].string_stats.unique
    assert notes["device"] == notes["rating"] == {}
    width = notes["price"][protos.CELL_WIDTH]
    assert 0 < width < 0.2
    exact = all_ours()["price"].num_stats.median
    assert exact * (1 - 2 * width) <= found["price"].num_stats.median <= exact
    assert found["price"].num_stats.mean == all_ours()["price"].num_stats.mean
