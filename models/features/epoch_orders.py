"""The order of the examples in each epoch: a pure function of the seed and the epoch, computed once."""

from __future__ import annotations

import threading

import numpy as np
from numpy.typing import NDArray


class Orders:
    """Cache of epoch orders. It keeps two, because batches of two epochs may be prefetched at once."""

    def __init__(self) -> None:
        self._kept: dict[tuple[int, int, int, bool], np.ndarray] = {}
        self._lock = threading.Lock()

    def of(
        self,
        examples: int,
        seed: int,
        epoch: int,
        probability: NDArray[np.float64] | None = None,
        groups: NDArray[np.int32] | None = None,
    ) -> np.ndarray:
        """`balanced_order` of the rows' probabilities, `grouped_order` of their groups, or `epoch_order` without both.

        The probabilities and the groups are the same in every call.
        """
        key = (examples, seed, epoch, probability is not None)
        before = (examples, seed, epoch - 1, probability is not None)
        with self._lock:
            if key not in self._kept:
                self._kept = {old: order for old, order in self._kept.items() if old == before}
                if probability is not None:
                    self._kept[key] = balanced_order(probability, seed, epoch)
                elif groups is not None:
                    self._kept[key] = grouped_order(groups, seed, epoch)
                else:
                    self._kept[key] = epoch_order(examples, seed, epoch)
            return self._kept[key]


def epoch_order(examples: int, seed: int, epoch: int) -> np.ndarray:
    """(example,) integers: order of the examples in an epoch, a pure function of the arguments."""
    return np.random.default_rng([seed, epoch]).permutation(np.arange(examples, dtype=index_type(examples)))


def grouped_order(groups: NDArray[np.int32], seed: int, epoch: int) -> np.ndarray:
    """(example,) integers: the groups in a random order, and the rows of each in a random order; a pure function of the arguments.

    Random rows would hardly ever share a group within a batch.

    Args:
        groups: (example,), the number of the group of each row, from 0.
        seed: seed of the training.
        epoch: from 0.
    """
    random = np.random.default_rng([seed, epoch])
    rows = random.permutation(np.arange(len(groups), dtype=index_type(len(groups))))
    place = random.permutation(int(groups.max(initial=-1)) + 1)
    return rows[np.argsort(place[groups[rows]], kind="stable")]


def balanced_order(probability: NDArray[np.float64], seed: int, epoch: int) -> np.ndarray:
    """(example,) integers: the rows drawn for an epoch in order, a pure function of the arguments.

    Systematic sampling: row i appears floor(N q_i) or ceil(N q_i) times, N q_i in expectation. The rows are shuffled before
    it, so that the rows of two epochs differ in more than one number, and after it, so that the copies of a row are apart.

    Särndal, Swensson and Wretman, Model Assisted Survey Sampling, 1992, section 3.4.

    Args:
        probability: (example,), q_i; sum 1.
        seed: seed of the training.
        epoch: from 0.
    """
    examples = len(probability)
    random = np.random.default_rng([seed, epoch])
    rows = random.permutation(np.arange(examples, dtype=index_type(examples)))
    ends = np.cumsum(examples * probability[rows])
    # A row has the whole numbers, moved by `start`, of its part of the line from 0 to N.
    start = random.random()
    before = np.ceil(ends * (examples / ends[-1]) - start).clip(0, examples)
    before[-1] = examples
    return random.permutation(np.repeat(rows, np.diff(before, prepend=0.0).astype(np.int64)))


def index_type(examples: int) -> np.dtype:
    """The smaller index type if it is large enough, because an order stays in memory during its epoch."""
    return np.dtype(np.int32 if examples < 2**31 else np.int64)
