"""The split into train and eval examples. The newest examples evaluate; the result depends only on the examples' times."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from components.event_logs.identity import GOLDEN
from components.event_logs.plan import SplitPlan


def time_limit(split: SplitPlan, times: Iterable[np.ndarray], as_of: int) -> int | None:
    """The time (microseconds) at which the eval split begins.

    `eval_from` is the limit itself, `eval_last` counts back from `as_of`. `eval_fraction` f of n examples: the limit is
    the k-th newest time, k = round(f n) and at least 1. Examples at the limit evaluate, too, so equal times stay
    together.

    Args:
        split: split of the plan.
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
    # Hashed again: otherwise the eval examples would have the smallest ids, and the files are sorted by id.
    scattered = (example_ids.astype(np.uint64) * GOLDEN) >> np.uint64(11)
    return scattered.astype(np.float64) / 2.0**53 < fraction
