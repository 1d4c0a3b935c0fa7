from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from tfx_bsl.sketches import QuantilesSketch

from components.statistics.quantiles import median, quantiles, quantiles_histogram, standard_histogram


def buckets(histogram):
    return [(bucket.low_value, bucket.high_value, bucket.sample_count) for bucket in histogram.buckets]


def test_by_hand():
    values, counts = np.array([1.0, 2.0, 5.0]), np.array([2, 1, 1])
    found, upto = quantiles(values, counts, 4)
    # ranks 0..4 of 1, 1, 2, 5; the middle ranks are 1, 2.5 and 3.5; rank 2 is not below C[1] = 2, so its quantile is 2
    assert found.tolist() == [1.0, 1.0, 2.0, 5.0, 5.0]
    assert upto.tolist() == [2.0, 2.0, 3.0, 4.0, 4.0]
    assert median(values, counts) == 2.0


@pytest.mark.parametrize("size", [1, 2, 3, 10, 150])
@pytest.mark.parametrize("intervals", [2, 10, 1000])
def test_as_the_sketch_that_tfdv_uses_while_it_holds_every_value(size, intervals):
    random = np.random.default_rng(size)
    values, counts = np.sort(random.normal(size=size)), random.integers(1, 9, size)
    sketch = QuantilesSketch(0.01, 1 << 32, 1)
    sketch.AddValues(pa.array(values), pa.array(counts.astype(np.float64)))
    for ours, theirs in zip(
        quantiles(values, counts, intervals), sketch.GetQuantilesAndCumulativeWeights(intervals), strict=True
    ):
        assert ours.tolist() == theirs.flatten().to_pylist()


def test_a_quantiles_histogram_shares_out_what_several_buckets_have_in_common():
    assert buckets(quantiles_histogram(np.array([7.0]), np.array([20]))) == [(7.0, 7.0, 2.0)] * 10


def test_a_standard_histogram_by_hand():
    values, counts = np.array([0.0, 1.0, 1.5, 10.0]), np.array([4, 3, 2, 1])
    found = buckets(standard_histogram(values, counts, np.array([0.0, 10.0])))
    assert found[:3] == [(0.0, 1.0, 7.0), (1.0, 2.0, 2.0), (2.0, 3.0, 0.0)]
    assert found[-1] == (9.0, 10.0, 1.0) and len(found) == 10


def test_limits_between_float32_values_are_float32():
    values = np.array([0.0, 0.1, 1.0], np.float32)
    found = buckets(standard_histogram(values.astype(np.float64), np.ones(3, np.int64), values[[0, -1]]))
    # as float64 the limit 0.1 would be below the float32 0.1
    assert found[0] == (0.0, pytest.approx(0.1), 2.0)


def test_infinite_values_have_buckets_of_their_own():
    found = buckets(standard_histogram(np.array([2.0]), np.array([5]), np.array([2.0, 2.0]), below=1, above=3))
    assert found == [(-np.inf, -np.inf, 1.0), (2.0, 2.0, 5.0), (np.inf, np.inf, 3.0)]
    only = standard_histogram(np.array([]), np.array([], np.int64), np.array([np.inf, -np.inf]), below=1, above=3)
    assert buckets(only) == [(np.inf, -np.inf, 4.0)]


def test_no_buckets_where_their_width_overflows():
    values = np.array([-1.7e308, 1.7e308])
    assert buckets(standard_histogram(values, np.array([1, 1]), values)) == []
