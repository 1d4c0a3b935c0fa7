"""Which positives stand together in a batch."""

import hypothesis.strategies as st
import numpy as np
from hypothesis import given

from models.retrieval.batches import epoch_batches


@given(st.integers(1, 200), st.integers(1, 64), st.integers(0, 5), st.integers(0, 3), st.booleans())
def test_every_positive_counts_once(rows: int, size: int, seed: int, epoch: int, by_time: bool) -> None:
    batches, counts = epoch_batches(rows, size, seed, epoch, by_time)
    assert batches.shape == counts.shape == (-(-rows // size), size)
    assert sorted(batches[counts].tolist()) == list(range(rows))
    again, _ = epoch_batches(rows, size, seed, epoch, by_time)
    np.testing.assert_array_equal(batches, again)


def test_by_time_a_batch_is_a_stretch_of_the_log() -> None:
    batches, counts = epoch_batches(1000, 50, seed=3, epoch=1, by_time=True)
    assert counts.all()
    assert (np.diff(batches, axis=1) % 1000 == 1).all()
    assert (np.diff(batches[:, 0]) < 0).any(), "the stretches come in random order"
    assert batches[0, 0] != epoch_batches(1000, 50, seed=3, epoch=2, by_time=True)[0][0, 0]


def test_shuffled_a_batch_is_drawn_from_the_whole_log() -> None:
    batches, _ = epoch_batches(1000, 50, seed=3, epoch=1, by_time=False)
    assert (np.ptp(batches, axis=1) > 500).all()
