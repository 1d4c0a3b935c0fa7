"""torch-rechub's MMOE and PLE with its own DataGenerator and MTLTrainer.

Runs in the peers' environment: python -m benchmarks.peers.rechub_step QUESTION, with a StepProblem, and device, cpu or gpu.
Each of its layers has a BatchNorm, which ours have not; it cannot be switched off. Its Adam is over everything.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch_rechub.basic.features import SparseFeature
from torch_rechub.models.multi_task import MMOE, PLE
from torch_rechub.trainers import MTLTrainer
from torch_rechub.utils.data import DataGenerator

from benchmarks.peers.torch_device import device_of, wait
from benchmarks.stages.door import answer, clock
from benchmarks.steps.problem import TASKS, StepProblem

_WARM_UP_STEPS = 3


def run(question: Mapping[str, Any]) -> dict[str, Any]:
    """Times `train_one_epoch` with its own loader, and then with batches that were made before.

    Returns:
        rows: examples. seconds, cpu_seconds; and step_seconds, of all steps without the loader. version. device, and
        device_peak_bytes of a GPU.
    """
    problem, device = StepProblem.of(question), device_of(question)
    torch.manual_seed(problem.seed)
    found = {"rows": problem.examples, "version": f"torch {torch.__version__}", **_train(problem, device)}
    if device == "cuda":
        found["device"] = torch.cuda.get_device_name()
        found["device_peak_bytes"] = torch.cuda.max_memory_allocated()
    return found


def build(problem: StepProblem) -> torch.nn.Module:
    """The model of the problem's sizes."""
    names = [f"f{feature}" for feature in range(problem.features)]
    features: list[SparseFeature] = []
    for feature, name in enumerate(names):
        table = problem.table_of(feature)
        shared = None if table == feature else names[table]
        features.append(SparseFeature(name, problem.table_rows, problem.dim, shared_with=shared))
    types = ["classification"] * len(TASKS)
    expert = {"dims": list(problem.units), "activation": "relu", "dropout": 0.0}
    towers = [{"dims": list(problem.tower_units), "activation": "relu", "dropout": 0.0} for _ in TASKS]
    if problem.architecture == "mmoe":
        return MMOE(features, types, problem.experts, expert, towers)
    own, shared_experts = problem.ple_experts()
    return PLE(features, types, 1, own, shared_experts, expert, towers)


def _train(problem: StepProblem, device: str) -> dict[str, Any]:
    ids, labels = problem.ids(problem.examples), problem.labels(problem.examples)
    data = {f"f{feature}": ids[:, feature] for feature in range(problem.features)}
    loader, _, _ = DataGenerator(data, labels).generate_dataloader(
        x_val=data, y_val=labels, x_test=data, y_test=labels, batch_size=problem.batch
    )
    trainer = MTLTrainer(build(problem), ["classification"] * len(TASKS), optimizer_params={"lr": 1e-3}, device=device)
    made = list(itertools.islice(loader, min(_WARM_UP_STEPS, problem.steps)))
    trainer.train_one_epoch(made)
    batches = [made[step % len(made)] for step in range(problem.steps)]
    seconds, cpu_seconds = _seconds(lambda: trainer.train_one_epoch(loader), device)
    step_seconds, _ = _seconds(lambda: trainer.train_one_epoch(batches), device)
    return {"seconds": seconds, "cpu_seconds": cpu_seconds, "step_seconds": step_seconds}


def _seconds(work: Callable[[], Any], device: str) -> list[float]:
    wait(device)
    with clock() as seconds:
        work()
        wait(device)
    return seconds


if __name__ == "__main__":
    answer(run)
