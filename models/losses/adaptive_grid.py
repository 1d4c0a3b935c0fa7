"""Thresholds that follow the distribution of some labels, between equal frequency and equal width."""

from __future__ import annotations

import numpy as np


def adaptive_grid(labels: np.ndarray, weights: np.ndarray, steps: int, alpha: float) -> tuple[float, ...]:
    """Thresholds t_0 < ... < t_M from the smallest to the largest label: quantiles at levels that grow with m, ever more slowly.

    With Psi the distribution of the labels,

        t_m = Psi^-1((1 - exp(-alpha m / M)) / (1 - exp(-alpha))),   at alpha = 0: Psi^-1(m / M)

    At alpha = 0 each step has the same number of labels. A larger alpha gives more and so narrower steps to the large labels. For
    exponential labels of rate r up to a largest T, alpha = r T makes all steps equally wide.

    Quantiles are labels, so with many equal labels some coincide. Midpoints of the widest steps then replace them, so that there are
    always M steps. If all labels are equal, the steps lie above them.

    Args:
        labels: (example,), at least one.
        weights: (example,) above 0.
        steps: M.
        alpha: 0 or more.

    Returns:
        M + 1 numbers, which are different 32-bit floats.
    """
    order = np.argsort(labels, kind="stable")
    ordered, upto = labels[order].astype(np.float32), np.cumsum(weights[order].astype(np.float64))
    shares = np.arange(steps + 1) / steps
    levels = np.expm1(-alpha * shares) / np.expm1(-alpha) if alpha > 0 else shares
    # The smallest label of which at least a share of `levels` is not greater, up to rounding.
    places = np.searchsorted(upto, (levels * (1 - 1e-9)) * upto[-1])
    places[0], places[-1] = 0, len(ordered) - 1
    grid = np.unique(ordered[places])
    low, high = grid[0], grid[-1]
    if high - low <= 2 * steps * np.spacing(max(abs(low), abs(high))):
        grid = np.array([low, low + max(np.float32(1), abs(low))], np.float32)
    while len(grid) <= steps:
        widest = np.diff(grid).argmax()
        grid = np.insert(grid, widest + 1, grid[widest] + (grid[widest + 1] - grid[widest]) / 2)
    return tuple(map(float, grid))
