from __future__ import annotations

import itertools

import numpy as np
import pytest

from models.losses.adaptive_grid import adaptive_grid


def grid(labels: list[float], steps: int, alpha: float = 0.0, weights: list[float] | None = None) -> tuple[float, ...]:
    return adaptive_grid(np.float32(labels), np.float32(weights or [1] * len(labels)), steps, alpha)


def test_equal_frequency_by_hand() -> None:
    """Of eight labels, the quarters end with the second, fourth, sixth and last."""
    assert grid([8, 1, 30, 2, 4, 16, 3, 5], 4) == (1, 2, 4, 8, 30)
    assert grid([1, 2, 3], 2, weights=[1, 1, 6]) == (
        1,
        2,
        3,
    )  # the median is 3: it is the last, and 2 the middle of 1 and 3


def test_alpha_by_hand() -> None:
    """At alpha = log 4 the levels of the halves are 0, (1 - 1 / 2) / (1 - 1 / 4) = 2 / 3 and 1."""
    assert grid([1, 2, 3, 4, 5, 6], 2, np.log(4)) == (1, 4, 6)


def test_exponential_labels_have_equal_steps_where_alpha_is_rate_times_length() -> None:
    """Cut at T = 3 / r: alpha = 3."""
    labels = np.random.default_rng(0).exponential(10.0, 400_000)
    found = np.diff(adaptive_grid(labels[labels < 30], np.ones((labels < 30).sum()), 6, 3.0))
    np.testing.assert_allclose(found, 5.0, rtol=0.05)


@pytest.mark.parametrize("alpha", [0.0, 1.0, 5.0, 100.0])
@pytest.mark.parametrize("steps", [1, 2, 9, 255])
@pytest.mark.parametrize(
    "labels",
    [
        [3.0],
        [-7.0] * 5,
        [0.0] * 90 + [1.0],
        [0.0] * 90 + [5.0, 600.0, 1e9],
        [1e8, np.nextafter(np.float32(1e8), np.float32(2e8))],
        [1e-30, 2e-30],
        list(np.random.default_rng(0).lognormal(3, 2, 500)),
    ],
)
def test_has_all_steps_and_covers_the_labels(labels: list[float], steps: int, alpha: float) -> None:
    found = np.float32(grid(labels, steps, alpha))
    assert found.shape == (steps + 1,) and (np.diff(found) > 0).all()
    assert found[0] == np.float32(min(labels)) and found[-1] >= np.float32(max(labels))


def test_neither_the_order_nor_the_scale_of_the_weights_matters() -> None:
    rng = np.random.default_rng(0)
    labels, weights = rng.integers(0, 50, 300).astype(np.float32), rng.integers(1, 5, 300).astype(np.float32)
    order = rng.permutation(300)
    one = adaptive_grid(labels, weights, 8, 1.0)
    assert one == adaptive_grid(labels[order], 4 * weights[order], 8, 1.0)
    assert one == adaptive_grid(np.repeat(labels, weights.astype(int)), np.ones(int(weights.sum())), 8, 1.0)


def test_a_larger_alpha_moves_every_threshold_up() -> None:
    labels = np.random.default_rng(0).lognormal(3, 1, 2_000)
    grids = [adaptive_grid(labels, np.ones(2_000), 10, alpha) for alpha in (0.0, 0.5, 2.0, 8.0)]
    for lower, upper in itertools.pairwise(grids):
        assert (np.array(lower)[1:-1] < np.array(upper)[1:-1]).all()
