"""Quantiles and histograms of counted numbers, with TFDV's conventions."""

from __future__ import annotations

import numpy as np
from tensorflow_data_validation.utils import quantiles_util
from tensorflow_metadata.proto.v0 import statistics_pb2

BUCKETS = 10
"""Of every histogram, TFDV's default."""


def quantiles(values: np.ndarray, counts: np.ndarray, buckets: int) -> tuple[np.ndarray, np.ndarray]:
    """Smallest, inner and largest quantile, as TFDV's sketch gives them where it still has every value.

    With C[v] the number of values up to v, and r_j = j C[last] / buckets, quantile j is the value v whose middle rank
    C[v] - counts[v] / 2 is the last one not above r_j, or the next value if r_j >= C[v].

    Args:
        values: (value,) float64, rising, distinct, at least one.
        counts: (value,) int64.
        buckets: number of intervals between quantiles.

    Returns:
        (buckets + 1,) the quantiles, and (buckets + 1,) float64 how many values are not above each.
    """
    upto = np.cumsum(counts).astype(np.float64)
    doubled = 2.0 * (np.arange(buckets + 1) * upto[-1] / buckets)
    place = np.maximum(np.searchsorted(2.0 * upto - counts, doubled, side="right") - 1, 0)
    place = np.where(doubled < 2.0 * upto[place], place, np.minimum(place + 1, len(values) - 1))
    return values[place], upto[place]


def quantiles_histogram(values: np.ndarray, counts: np.ndarray) -> statistics_pb2.Histogram:
    """The histogram whose `BUCKETS` buckets hold about the same number of values each; arguments as of `quantiles`."""
    return quantiles_util.generate_quantiles_histogram(*quantiles(values, counts, BUCKETS))


def median(values: np.ndarray, counts: np.ndarray) -> float:
    """The middle quantile; arguments as of `quantiles`."""
    return float(quantiles(values, counts, 2)[0][1])


def standard_histogram(
    values: np.ndarray,
    counts: np.ndarray,
    ends: np.ndarray,
    below: int = 0,
    above: int = 0,
) -> statistics_pb2.Histogram:
    """The histogram with `BUCKETS` buckets of the same width between the smallest and the largest finite value.

    A value on an inner limit belongs below it, as in TFDV. TFDV shares out 1,000 quantiles among the buckets, so its counts
    depart from these exact ones by the error of its sketch and by what one quantile holds.

    Args:
        values: (value,) float64, rising, distinct, finite.
        counts: (value,) int64.
        ends: (2,) the smallest and the largest of the finite values; inf and -inf without any. The limits have its
            type: between float32 values a limit of 1.4 is the float32 1.4, and a value of 1.4 lies on it.
        below: values of -inf: a bucket of their own, the first.
        above: values of inf: a bucket of their own, the last.
    """
    histogram = statistics_pb2.Histogram(type=statistics_pb2.Histogram.STANDARD)
    if not len(values):
        histogram.buckets.add(low_value=ends[0], high_value=ends[1], sample_count=below + above)
        return histogram
    limits = ends
    if ends[0] < ends[1]:
        with np.errstate(over="ignore", invalid="ignore"):
            limits = np.linspace(ends[0], ends[1], BUCKETS + 1)
    if not np.isfinite(limits).all():
        # The width overflows; TFDV gives no bucket then either.
        return histogram
    upto = np.concatenate([[0], np.cumsum(counts)])
    inner = upto[np.searchsorted(values, limits[1:-1].astype(np.float64), side="right")]
    sizes = np.diff(np.concatenate([[0], inner, [upto[-1]]]))
    if below:
        histogram.buckets.add(low_value=-np.inf, high_value=-np.inf, sample_count=below)
    for low, high, size in zip(limits[:-1], limits[1:], sizes, strict=True):
        histogram.buckets.add(low_value=low, high_value=high, sample_count=size)
    if above:
        histogram.buckets.add(low_value=np.inf, high_value=np.inf, sample_count=above)
    return histogram
