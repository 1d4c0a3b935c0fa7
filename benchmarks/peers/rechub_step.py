"""torch-rechub's MMOE and PLE with its own DataGenerator and MTLTrainer; also the device's rates as PyTorch finds them.

Runs in the peers' environment: python -m benchmarks.peers.rechub_step QUESTION, a StepProblem as JSON with
    device: cpu or cuda.  rates: measure these too.
Each of its layers has a BatchNorm, which ours have not; it cannot be switched off.
"""

from __future__ import annotations

import itertools
import json
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch_rechub.basic.features import SparseFeature
from torch_rechub.models.multi_task import MMOE, PLE
from torch_rechub.trainers import MTLTrainer
from torch_rechub.utils.data import DataGenerator

from benchmarks.step_problem import TASKS, StepProblem, peak_bytes


def build(problem: StepProblem) -> torch.nn.Module:
    """The model of the problem's sizes."""
    names = [f"f{feature}" for feature in range(problem.features)]
    features: list[SparseFeature] = []
    for feature, name in enumerate(names):
        table = problem.table_of(feature)
        shared = None if table == feature else names[table]
        features.append(SparseFeature(name, problem.rows, problem.dim, shared_with=shared))
    types = ["classification"] * len(TASKS)
    expert = {"dims": list(problem.units), "activation": "relu", "dropout": 0.0}
    towers = [{"dims": list(problem.tower_units), "activation": "relu", "dropout": 0.0} for _ in TASKS]
    if problem.architecture == "mmoe":
        return MMOE(features, types, problem.experts, expert, towers)
    own, shared_experts = problem.ple_experts()
    return PLE(features, types, 1, own, shared_experts, expert, towers)


def measure(problem: StepProblem, device: str) -> dict[str, Any]:
    """Examples/s of `train_one_epoch` with its own loader, and with batches that were made before."""
    rows = problem.steps * problem.batch
    ids, labels = problem.ids(rows), problem.labels(rows)
    data = {f"f{feature}": ids[:, feature] for feature in range(problem.features)}
    loader, _, _ = DataGenerator(data, labels).generate_dataloader(
        x_val=data, y_val=labels, x_test=data, y_test=labels, batch_size=problem.batch
    )
    model = build(problem)
    trainer = MTLTrainer(model, ["classification"] * len(TASKS), optimizer_params={"lr": 1e-3}, device=device)
    made = list(itertools.islice(loader, min(2, problem.steps)))
    trainer.train_one_epoch(made)  # warm-up
    batches = [made[step % len(made)] for step in range(problem.steps)]
    with_loader = _seconds(lambda: trainer.train_one_epoch(loader), device)
    without = _seconds(lambda: trainer.train_one_epoch(batches), device)
    return {"examples_per_second": rows / with_loader, "step_only": rows / without, "peak_bytes": peak_bytes()}


def rates(problem: StepProblem, device: str) -> dict[str, float]:
    """Rates in FLOP/s of the experts' matrix products, each alone, and bytes/s of a copy."""
    found: dict[str, float] = {}
    for name, dtype in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        total = 0.0
        for copies, m, k, n in problem.products():
            a = torch.rand(copies, m, k, device=device, dtype=dtype)
            b = torch.rand(copies, k, n, device=device, dtype=dtype)
            total += min(_times(lambda a=a, b=b: torch.matmul(a, b), device))  # type: ignore[misc]
        found[name] = problem.flops() / total
    source = torch.zeros(2**26 if device == "cpu" else 2**29, device=device)
    target = torch.empty_like(source)
    found["bytes"] = 2 * source.nbytes / min(_times(lambda: target.copy_(source), device))
    return found


def _times(work: Callable[[], Any], device: str, repeats: int = 6) -> Iterator[float]:
    for repeat in range(repeats):
        seconds = _seconds(work, device)
        if repeat:  # the first warms up
            yield seconds


def _seconds(work: Callable[[], Any], device: str) -> float:
    _wait(device)
    start = time.perf_counter()
    work()
    _wait(device)
    return time.perf_counter() - start


def _wait(device: str) -> None:
    if device != "cpu":
        torch.cuda.synchronize()


def main() -> None:
    question = json.loads(sys.argv[1])
    problem, device = StepProblem.of(question), question.get("device", "cpu")
    if device != "cpu" and not torch.cuda.is_available():
        sys.exit("this PyTorch finds no GPU: install the build with CUDA")
    torch.manual_seed(problem.seed)
    answer: dict[str, Any] = {"version": torch.__version__, **measure(problem, device)}
    if question.get("rates"):
        answer["rates"] = rates(problem, device)
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
