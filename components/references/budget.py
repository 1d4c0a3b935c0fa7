"""The sizes of the single-task twins' layers, so that they have as many network parameters as the model."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

TOLERANCE = 0.02
"""Largest relative difference of the twins' network parameters from the model's that counts as the same budget."""

_SPAN, _LAYERS = 2, 4
"""How far each of the last layers may be from the scaled size. Rounding alone misses the budget of a small network by several percent."""


def network_parameters(dim: int, units: Sequence[int], outputs: Sequence[int]) -> int:
    """Number of parameters of one network of dense layers per task: sum over tasks and layers of (in + 1) * out.

    Args:
        dim: width of the encoded features.
        units: sizes of a task's hidden layers, those of its tower included.
        outputs: number of logits of each task.
    """
    hidden = sum((inputs + 1) * size for inputs, size in itertools.pairwise((dim, *units)))
    return sum(hidden + ((dim, *units)[-1] + 1) * logits for logits in outputs)


def matched_units(budget: int, dim: int, units: Sequence[int], outputs: Sequence[int]) -> tuple[int, ...]:
    """Sizes of the hidden layers for which `network_parameters` is nearest to the budget.

    Scales all sizes by one factor, found by bisection. Then tries up to 2 more or fewer units in each of the last four layers, and
    takes the nearest number of parameters; among equals, the sizes nearest to the scaled ones. A layer has at least one unit.

    Args:
        budget: number of parameters to reach.
        dim: width of the encoded features.
        units: sizes of a task's hidden layers before scaling, those of its tower included. (): returned unchanged.
        outputs: number of logits of each task.
    """
    if not units:
        return ()

    def scaled(factor: float) -> tuple[int, ...]:
        return tuple(max(1, round(factor * size)) for size in units)

    low, high = 0.0, 1.0
    while network_parameters(dim, scaled(high), outputs) < budget:
        low, high = high, 2.0 * high
    for _ in range(40):
        middle = (low + high) / 2.0
        if network_parameters(dim, scaled(middle), outputs) < budget:
            low = middle
        else:
            high = middle
    start = scaled(high)
    kept, tried = start[:-_LAYERS], start[-_LAYERS:]

    def distance(sizes: tuple[int, ...]) -> tuple[int, float, tuple[int, ...]]:
        moved = sum(abs(size - first) / first for size, first in zip(sizes, tried, strict=True))
        return abs(network_parameters(dim, (*kept, *sizes), outputs) - budget), moved, sizes

    around = (range(max(1, size - _SPAN), size + _SPAN + 1) for size in tried)
    return (*kept, *min(itertools.product(*around), key=distance))
