"""Measured rates of a device, and the share that a step uses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.measure import Measured, Subject
from benchmarks.steps.problem import StepProblem

PRODUCTS = "products"
BANDWIDTH = "bandwidth"

Rates = Mapping[str, float]
_RATES = {"TensorFlow": "benchmarks.steps.tensorflow_rates", "PyTorch": "benchmarks.peers.torch_rates"}


def device_rates(time: Callable[[Subject], Measured], problem: StepProblem, peers: Path, device: str = "cpu") -> Rates:
    """Of each rate the higher of what TensorFlow and PyTorch find.

    Args:
        time: how a subject is timed.
        problem: whose products they are.
        peers: Python of the environment with PyTorch.
        device: cpu or gpu.

    Returns:
        "float32" and "bfloat16": FLOP/s of the experts' matrix products; "bytes": bytes/s, read and written.
    """
    question = problem.as_question(device=device)
    found = []
    for library, module in _RATES.items():
        subject = Subject(name=f"rates by {library}", module=module, question=question)
        if library == "PyTorch":
            subject = Subject(name=subject.name, module=module, question=question, python=peers)
        found.append(time(subject).answer["rates"])
    return {name: max(rates[name] for rates in found) for name in found[0]}


def of_products(problem: StepProblem, measured: Measured, rate: float) -> float:
    """The experts' products of the measured steps, at the device's own rate, by the seconds that the steps took."""
    return _steps(problem, measured) * problem.flops() / rate / measured.median


def of_bandwidth(problem: StepProblem, measured: Measured, rate: float, number_bytes: int = 4) -> float:
    """The least bytes that the measured steps have to move, at the device's own rate, by the seconds that they took."""
    return _steps(problem, measured) * problem.traffic(number_bytes) / rate / measured.median


def in_words(rates: Rates) -> str:
    """A note for the table."""
    return (
        "Products: share of the rate of the experts' matrix products alone, by TensorFlow or PyTorch, whichever was faster: "
        f"{rates['float32'] / 1e9:,.0f} GFLOP/s in float32, {rates['bfloat16'] / 1e9:,.0f} in bfloat16. "
        f"A copy moves {rates['bytes'] / 1e9:,.1f} GB/s."
    )


def _steps(problem: StepProblem, measured: Measured) -> float:
    return measured.rows / problem.batch
