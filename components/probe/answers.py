"""Checks of a served model's answers, as plain functions on arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np


def faults(answers: Mapping[str, Any], tasks: Mapping[str, str], count: int, what: str) -> list[str]:
    """Faults in the shape and range of the answers; [] if there are none.

    Args:
        answers: {task: (count,) numbers}.
        tasks: {task: "binary" or "regression"}; a binary task's answer is a probability.
        count: number of examples in the request.
        what: description of the request, put before each fault.
    """
    if set(answers) != set(tasks):
        return [f"{what}: expected answers for tasks {sorted(tasks)}, received {sorted(answers)}"]
    found = []
    for task, kind in tasks.items():
        values = np.asarray(answers[task])
        if values.shape != (count,):
            found.append(f"{what}: task {task!r}: expected answers of shape {(count,)}, received {values.shape}")
        elif not np.isfinite(values).all():
            found.append(
                f"{what}: task {task!r}: {int((~np.isfinite(values)).sum())} of {count} answers are not finite"
            )
        elif kind == "binary" and ((values < 0) | (values > 1)).any():
            worst = values[np.argmax(np.abs(values - 0.5))]
            found.append(f"{what}: task {task!r}: expected probabilities from 0 to 1, received {worst:.6g}")
    return found


def differences(
    answers: Mapping[str, Any],
    expected: Mapping[str, Any],
    example_ids: list[int],
    tolerance: float,
    what: str,
    other: str = "trainer",
) -> list[str]:
    """Differences between the answers and the expected values; [] if there are none.

    Equal means |answer - expected| <= tolerance * max(1, |expected|): absolute for probabilities and small values,
    relative for amounts, because float32 keeps seven digits.

    Args:
        answers: {task: (example,)}, with shapes that `faults` has accepted.
        expected: {task: (example,)}.
        example_ids: ids of the examples, for the message.
        tolerance: largest allowed difference.
        what: description of the request, put before each difference.
        other: source of the expected values, for the message.
    """
    found = []
    for task, values in expected.items():
        should = np.asarray(values, dtype=np.float64)
        gap = np.abs(np.asarray(answers[task], dtype=np.float64) - should) / np.maximum(1.0, np.abs(should))
        if not (gap <= tolerance).all():
            at = int(np.argmax(gap))
            found.append(
                f"{what}: task {task!r}: {int((~(gap <= tolerance)).sum())} of {len(gap)} answers differ from the "
                f"{other}'s (tolerance {tolerance:g}); the largest difference is at example {example_ids[at]}: "
                f"served {float(answers[task][at]):.8g}, {other} {should[at]:.8g}"
            )
    return found
