"""Euclidean projection onto the simplex, by a sort, which XLA compiles."""

from __future__ import annotations

from typing import Any

from keras import ops

_FAR = -1e6


def projected(values: Any, takes_part: Any) -> Any:
    """The nearest (task,) to `values` that is 0 or more, sums to 1, and is 0 for the tasks that do not take part.

    p_i = max(v_i - theta, 0), theta = (v_1 + ... + v_k - 1) / k for the largest k with v_k > theta, where v_1 >= v_2 >= ...
    (Duchi et al., Efficient Projections onto the l1-Ball for Learning in High Dimensions, ICML 2008,
    https://doi.org/10.1145/1390156.1390191). If no task takes part, all are 0.

    Args:
        values: (task,) float32, of the order of 1.
        takes_part: (task,) bool.
    """
    own = ops.where(takes_part, values, _FAR)
    falling = -ops.sort(-own)
    counts = ops.arange(1, int(own.shape[0]) + 1, dtype="float32")
    thetas = (ops.cumsum(ops.where(falling > _FAR / 2, falling, 0.0)) - 1.0) / counts
    kept = ops.logical_and(falling > _FAR / 2, falling > thetas)
    last = ops.maximum(ops.sum(ops.cast(kept, "int32")) - 1, 0)
    return ops.where(takes_part, ops.maximum(own - ops.take(thetas, last), 0.0), 0.0)
