"""The order of the examples in each epoch: a pure function of the seed and the epoch, computed once."""

from __future__ import annotations

import threading

import numpy as np


class Orders:
    """Cache of epoch orders. It keeps two, because batches of two epochs may be prefetched at once."""

    def __init__(self) -> None:
        self._kept: dict[tuple[int, int, int], np.ndarray] = {}
        self._lock = threading.Lock()

    def of(self, examples: int, seed: int, epoch: int) -> np.ndarray:
        """`epoch_order`."""
        key = (examples, seed, epoch)
        with self._lock:
            if key not in self._kept:
                self._kept = {old: order for old, order in self._kept.items() if old == (examples, seed, epoch - 1)}
                self._kept[key] = epoch_order(examples, seed, epoch)
            return self._kept[key]


def epoch_order(examples: int, seed: int, epoch: int) -> np.ndarray:
    """(example,) integers: order of the examples in an epoch, a pure function of the arguments."""
    return np.random.default_rng([seed, epoch]).permutation(np.arange(examples, dtype=index_type(examples)))


def index_type(examples: int) -> np.dtype:
    """The smaller index type if it is large enough, because an order stays in memory during its epoch."""
    return np.dtype(np.int32 if examples < 2**31 else np.int64)
