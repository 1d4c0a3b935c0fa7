from __future__ import annotations

import itertools

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pytest
import tensorflow_data_validation as tfdv
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorflow_metadata.proto.v0 import statistics_pb2

from components.statistics.describing import EXACT_COUNTS, EXACT_DISTINCT, Describer

# Of TFDV, where a column holds an infinite number.
pytestmark = pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")

RANDOM = np.random.default_rng(5)
ROWS = 400


def lists(values, kind):
    return pa.array([None if value is None else [value] for value in values], pa.large_list(kind))


def odd_batch() -> pa.RecordBatch:
    """Columns of every type with what logs can hold: nothing at all, NaN, infinity, bytes that are no text."""
    random = np.random.default_rng(6)
    numbers = random.normal(3.0, 2.0, ROWS).astype(np.float32)
    numbers[::7] = np.nan
    infinite = random.normal(0.0, 1.0, ROWS).astype(np.float32)
    infinite[3] = np.inf
    # Each as often as no other: TFDV's two ways break ties differently where bytes are no text.
    some = 3 * [b""] + 4 * [b"caf\xc3\xa9"] + 2 * [b"\xff\xfe"] + [b"x" * 1000, None]
    texts = [some[i % len(some)] for i in range(ROWS)]
    sizes = random.integers(0, 4, ROWS)
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    return pa.record_batch(
        {
            "nothing": lists([None] * ROWS, pa.large_binary()),
            "no_number": lists([None] * ROWS, pa.float32()),
            "nan": lists([float("nan")] * ROWS, pa.float32()),
            "numbers": lists(numbers, pa.float32()),
            "infinite": lists(infinite, pa.float32()),
            "texts": lists(texts, pa.large_binary()),
            "whole": lists(random.integers(-(2**40), 2**40, ROWS), pa.int64()),
            "item": lists(random.choice([3, 5, 8], ROWS), pa.int64()),
            "words": pa.LargeListArray.from_arrays(
                offsets, pa.array([f"w{i % 11}".encode() for i in range(offsets[-1])], pa.large_binary())
            ),
        }
    )


def stock(batch: pa.RecordBatch, path: str) -> statistics_pb2.DatasetFeatureStatisticsList:
    """What TFDV itself makes of the batch, with its exact counts."""
    with beam.Pipeline(argv=["--runner=FnApiRunner"]) as pipeline:
        made = pipeline | beam.Create([batch]) | tfdv.GenerateStatistics(tfdv.StatsOptions())
        _ = made | tfdv.WriteStatisticsToBinaryFile(path)
    return tfdv.load_stats_binary(path)


def by_name(statistics: statistics_pb2.DatasetFeatureStatisticsList):
    [dataset] = statistics.datasets
    return {feature.path.step[0]: feature for feature in dataset.features}


def test_field_by_field_as_tfdv(tmp_path):
    batch = odd_batch()
    describer = Describer()
    ours, _ = describer.conclude(describer.describe([batch]))
    theirs = stock(batch, str(tmp_path / "stock.pb"))
    assert ours.datasets[0].num_examples == theirs.datasets[0].num_examples == ROWS
    mine, others = by_name(ours), by_name(theirs)
    assert list(mine) == list(others) == batch.schema.names
    for name, feature in mine.items():
        assert feature == others[name], name


def test_very_long_texts_are_one_value():
    describer = Describer()
    texts = [b"x" * 1024, b"y" * 1025, b"z" * 9999, b"short"]
    described = describer.describe([pa.record_batch({"text": lists(texts, pa.large_binary())})])
    found = by_name(describer.conclude(described)[0])["text"].string_stats
    assert {top.value: top.frequency for top in found.top_values} == {"x" * 1024: 1, "__LARGE_BYTES__": 2, "short": 1}
    assert found.avg_length == (1024 + 1025 + 9999 + 5) / 4 and found.unique == 4


def test_integer_categories_have_their_values_counted():
    describer = Describer(["item", "absent"])
    quantities, categories = describer.conclude(describer.describe([odd_batch()]))
    assert by_name(quantities)["item"].WhichOneof("stats") == "num_stats"
    found = by_name(categories)
    assert set(found) == {"item"} and categories.datasets[0].num_examples == ROWS
    item = found["item"].string_stats
    assert item.unique == 3 and item.common_stats == by_name(quantities)["item"].num_stats.common_stats
    assert (
        sum(bucket.sample_count for bucket in item.rank_histogram.buckets) == ROWS == item.common_stats.tot_num_values
    )


@settings(max_examples=20, deadline=None)
@given(cuts=st.lists(st.integers(1, ROWS - 1), max_size=5, unique=True), order=st.randoms(use_true_random=False))
def test_parts_in_any_order_give_the_same(cuts, order):
    batch, describer = odd_batch(), Describer(["item"])
    edges = [0, *sorted(cuts), ROWS]
    parts = [describer.describe([batch.slice(a, b - a)]) for a, b in itertools.pairwise(edges)]
    order.shuffle(parts)
    for merged, whole in zip(
        describer.conclude(describer.merge(parts)), describer.conclude(describer.describe([batch])), strict=True
    ):
        for name, feature in by_name(whole).items():
            other = by_name(merged)[name]
            if feature.WhichOneof("stats") == "num_stats":
                # The sums' last bits depend on their order.
                for field in ("mean", "std_dev"):
                    one, two = getattr(feature.num_stats, field), getattr(other.num_stats, field)
                    assert two == pytest.approx(one, rel=1e-12, nan_ok=True)
                    setattr(other.num_stats, field, one)
                feature.num_stats.ClearField("histograms")
                other.num_stats.ClearField("histograms")
                assert other.num_stats.median == pytest.approx(feature.num_stats.median, rel=0.05, nan_ok=True)
                other.num_stats.median = feature.num_stats.median
            assert other == feature, name


def counted(values: np.ndarray, parts: int):
    """The statistics of a column of integer ids, described in so many parts."""
    describer = Describer(["id"])
    batches = [pa.record_batch({"id": lists(part, pa.int64())}) for part in np.array_split(values, parts)]
    merged = describer.merge([describer.describe([batch]) for batch in batches])
    return by_name(describer.conclude(merged)[1])["id"].string_stats


def test_exact_up_to_the_stated_sizes():
    values = RANDOM.permutation(np.repeat(np.arange(EXACT_COUNTS), np.arange(EXACT_COUNTS) % 7 + 1))
    found = counted(values, 3)
    assert found.unique == EXACT_COUNTS
    assert {bucket.sample_count for bucket in found.rank_histogram.buckets[:500]} == {7}
    # All but one of the places of a sketch of distinct values hold one.
    assert counted(RANDOM.permutation(EXACT_DISTINCT - 1), 3).unique == EXACT_DISTINCT - 1


def test_beyond_them_within_the_stated_bounds():
    frequent = {value: 4_000 - 100 * value for value in range(20)}
    values = np.concatenate([np.repeat(list(frequent), list(frequent.values())), np.arange(100, 100_100)])
    found = counted(RANDOM.permutation(values), 4)
    assert found.unique == pytest.approx(100_020, rel=5 / EXACT_DISTINCT**0.5)
    for top in found.top_values[:15]:
        true = frequent[int(top.value)]
        assert true - len(values) / EXACT_COUNTS <= top.frequency <= true
