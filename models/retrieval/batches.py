"""The batches of an epoch. Each positive is a negative of all others in its batch."""

from __future__ import annotations

import numpy as np


def epoch_batches(rows: int, batch_size: int, seed: int, epoch: int, by_time: bool) -> tuple[np.ndarray, np.ndarray]:
    """The rows of each batch of an epoch, as a pure function of its arguments.

    Every row counts exactly once. The last batch is padded with rows that do not count.

    Args:
        rows: number of positives, which are in time order.
        batch_size: size of all batches.
        seed: seed of the training.
        epoch: epoch number, from 0.
        by_time: whether a batch is a contiguous part of the log, with a random offset that wraps around, in random order.
            Otherwise a batch is drawn from the whole log.

    Returns:
        (batch, batch_size) int64 rows, and (batch, batch_size) bool, which rows count.
    """
    random = np.random.default_rng([seed, epoch])
    order = (np.arange(rows) + random.integers(rows)) % rows if by_time else random.permutation(rows)
    batches = -(-rows // batch_size)
    filled = np.resize(order, batches * batch_size).reshape(batches, batch_size)
    counts = (np.arange(batches * batch_size) < rows).reshape(batches, batch_size)
    if by_time:
        shuffled = random.permutation(batches)
        filled, counts = filled[shuffled], counts[shuffled]
    return filled, counts
