"""As `benchmarks.steps.tensorflow_rates`, as PyTorch finds it: python -m benchmarks.peers.torch_rates QUESTION.

The question: a StepProblem, and `device`, cpu or gpu. Runs in the peers' environment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch

from benchmarks.peers.torch_device import device_of, wait
from benchmarks.stages.door import answer, clock
from benchmarks.steps.problem import StepProblem

_REPEATS = 6


def run(question: Mapping[str, Any]) -> dict[str, Any]:
    """`rates`, the best of a few repeats; `rows`, 1; `seconds`, of all."""
    with clock() as seconds:
        found = _rates(StepProblem.of(question), device_of(question))
    return {"rows": 1, "seconds": seconds[0], "rates": found}


def _rates(problem: StepProblem, device: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for name, dtype in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        total = 0.0
        for copies, m, k, n in problem.products():
            a = torch.rand(copies, m, k, device=device, dtype=dtype)
            b = torch.rand(copies, k, n, device=device, dtype=dtype)
            total += _shortest(lambda a=a, b=b: torch.matmul(a, b), device)  # type: ignore[misc]
        found[name] = problem.flops() / total
    source = torch.zeros(2**26 if device == "cpu" else 2**29, device=device)
    target = torch.empty_like(source)
    found["bytes"] = 2 * source.nbytes / _shortest(lambda: target.copy_(source), device)
    return found


def _shortest(work: Callable[[], Any], device: str) -> float:
    taken = []
    for _ in range(1 + _REPEATS):
        wait(device)
        with clock() as seconds:
            work()
            wait(device)
        taken.append(seconds[0])
    return min(taken[1:])


if __name__ == "__main__":
    answer(run)
