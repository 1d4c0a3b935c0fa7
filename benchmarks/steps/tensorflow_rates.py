"""What the device can do, as TensorFlow finds it: python -m benchmarks.steps.tensorflow_rates QUESTION.

The question: a StepProblem, and `device`, cpu or gpu. The rates are those of the experts' matrix products, each alone, and
of a copy. In a process of its own: its arrays must not count as memory of a step.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from benchmarks.stages.door import answer, clock
from benchmarks.steps.problem import StepProblem
from benchmarks.steps.tensorflow_device import choose

_REPEATS = 6


def run(question: Mapping[str, Any]) -> dict[str, Any]:
    """The best of a few repeats, after one that warms up.

    Returns:
        rates: "float32" and "bfloat16": FLOP/s; "bytes": bytes/s, read and written. rows: 1. seconds: of all.
    """
    choose(question)
    with clock() as seconds:
        found = _rates(StepProblem.of(question))
    return {"rows": 1, "seconds": seconds[0], "rates": found}


def _rates(problem: StepProblem) -> dict[str, float]:
    found: dict[str, float] = {}
    for dtype in ("float32", "bfloat16"):
        total = 0.0
        for copies, m, k, n in problem.products():
            a = tf.cast(tf.random.uniform((copies, m, k)), dtype)
            b = tf.cast(tf.random.uniform((copies, k, n)), dtype)
            total += _shortest(lambda a=a, b=b: tf.linalg.matmul(a, b))  # type: ignore[misc]
        found[dtype] = problem.flops() / total
    size = 2**29 if tf.config.list_logical_devices("GPU") else 2**26
    source = tf.zeros(size)
    found["bytes"] = 2 * source.dtype.size * size / _shortest(lambda: source + 1.0)
    return found


def _shortest(work: Callable[[], Any]) -> float:
    seconds = []
    for _ in range(1 + _REPEATS):
        start = time.perf_counter()
        result = work()
        # One number back to the host: the device has then finished.
        float(tf.cast(tf.reshape(result, (-1,))[0], "float32"))
        seconds.append(time.perf_counter() - start)
    return min(seconds[1:])


if __name__ == "__main__":
    answer(run)
