"""Which examples train and which evaluate. The newest evaluate; the result depends on the examples' times alone."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from components.event_logs.identity import GOLDEN
from components.event_logs.plan import SplitPlan


def time_limit(split: SplitPlan, times: Iterable[np.ndarray], as_of: int) -> int | None:
    """The moment (microseconds) from which on examples evaluate.

    `eval_from` is the limit itself, `eval_last` counts back from `as_of`. `eval_fraction` f of n examples: the limit is
    the k-th newest time, k = round(f n) and at least 1; examples at the limit evaluate too, so that equal times stay
    together.

    Args:
        split: the plan's.
        times: the times of all examples, in any arrays and order; read for `eval_fraction` only.
        as_of: microseconds.

    Returns:
        The limit; None without examples.
    """
    if split.eval_from is not None:
        return split.eval_from
    if split.eval_last is not None:
        return as_of - split.eval_last
    every = np.concatenate([np.array([], np.int64), *times])
    if len(every) == 0 or split.eval_fraction is None:
        return None
    newest = min(len(every), max(1, int(split.eval_fraction * len(every) + 0.5)))
    return int(np.partition(every, len(every) - newest)[len(every) - newest])


def evaluates_by_hash(example_ids: np.ndarray, fraction: float) -> np.ndarray:
    """(rows,) bool: a share `fraction` of the ids, always the same ones."""
    # Scattered again, or the eval examples would be those with the smallest ids, and the files are in order of id.
    scattered = (example_ids.astype(np.uint64) * GOLDEN) >> np.uint64(11)
    return scattered.astype(np.float64) / 2.0**53 < fraction
