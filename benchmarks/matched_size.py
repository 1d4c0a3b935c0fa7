"""The size of an architecture's layers with which it has as many parameters as another."""

from __future__ import annotations

from collections.abc import Callable

LARGEST = 1024


def matched_size(parameters: Callable[[int], int], budget: int) -> int:
    """The size from 1 to `LARGEST` with the number of parameters nearest to the budget.

    Args:
        parameters: size -> number of parameters, rising.
        budget: wanted number.
    """
    least, most = 1, LARGEST
    while most - least > 1:
        middle = (least + most) // 2
        least, most = (middle, most) if parameters(middle) <= budget else (least, middle)
    return min((least, most), key=lambda size: abs(parameters(size) - budget))
