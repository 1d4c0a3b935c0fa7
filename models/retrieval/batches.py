"""The batches of an epoch: which positives stand together, because each is a negative of all others."""

from __future__ import annotations

import numpy as np


def epoch_batches(rows: int, batch_size: int, seed: int, epoch: int, by_time: bool) -> tuple[np.ndarray, np.ndarray]:
    """The rows of each batch of an epoch: a pure function of its arguments.

    Every row stands in exactly one place that counts. The last batch is filled up with rows that count there no more.

    Args:
        rows: positives, in the order of time.
        batch_size: of all batches.
        seed: of the training.
        epoch: from 0.
        by_time: a batch is a stretch of the log, from a random start and round its end; the stretches come in random
            order. Otherwise every batch is drawn from the whole log.

    Returns:
        (batch, batch_size) int64 rows, and (batch, batch_size) bool, which of them count.
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
