"""Whether an architecture computes what torch-rechub's of the same name does, with the same weights: python -m benchmarks.parity

Our architecture gets random weights, and torch-rechub's model the same ones, in its own environment. Both predict the same random
inputs. What differs in the formulas is made equal on one side:

    all     torch-rechub normalises after each hidden layer and before each gate's softmax: BatchNorm in inference, here the identity
    mmoe    nothing else
    ple     nothing else; its gates have a bias, too
    aitm    query, key and value have a bias in ours: here 0. The calibrator is a term of the loss, not of the prediction

torch-rechub has no cross-stitch network.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import typer
from numpy.typing import NDArray

from benchmarks.figures import append_history
from benchmarks.machine import stamp
from benchmarks.measure import Subject, fresh
from benchmarks.peers import environment
from benchmarks.session import HISTORY, History, say

TASKS = ("click", "cart", "order")
WIDTH, ROWS = 12, 256
OPTIONS: dict[str, dict[str, Any]] = {
    "mmoe": {"experts": 4, "units": (16, 8), "tower_units": (6,)},
    "ple": {"levels": 2, "task_experts": 2, "shared_experts": 3, "units": (16, 8), "tower_units": (6,)},
    "aitm": {"units": (16, 8), "tower_units": (6,)},
}
MOST = 1e-5
"""Largest difference of two probabilities that counts as rounding."""

Layer = tuple[NDArray[np.float32], NDArray[np.float32] | None]
"""Kernel (in, out), and bias (out,) or None."""


def pairs(layer: Any) -> list[Layer]:
    """Kernel and bias of each layer of a Keras layer, in the order of its variables."""
    arrays = [np.asarray(variable) for variable in layer.trainable_variables]
    return list(zip(arrays[::2], arrays[1::2], strict=True))


def one_by_one(experts: Any) -> Iterator[Layer]:
    """The layers of each expert, one expert after the other."""
    stacks = pairs(experts)
    for place in range(experts.experts):
        for kernels, biases in stacks:
            assert biases is not None
            yield kernels[place], biases[place]


def of_mmoe(architecture: Any) -> Iterator[Layer]:
    """Experts, gates, towers."""
    yield from one_by_one(architecture.shared)
    for layer in (*architecture.task_gates, *architecture.towers):
        yield from pairs(layer)


def of_ple(architecture: Any) -> Iterator[Layer]:
    """Of each level the tasks' experts, the shared ones, the tasks' gates and the shared one; then the towers."""
    for level in architecture.extraction:
        for experts in level.experts:
            yield from one_by_one(experts)
        for gate in (*level.task_gates, *([] if level.top else [level.shared_gate])):
            yield from pairs(gate)
    for tower in architecture.towers:
        yield from pairs(tower)


def of_aitm(architecture: Any) -> Iterator[Layer]:
    """Networks, towers, what is passed on, and query, key and value of each transfer."""
    for layer in (*architecture.networks, *architecture.towers):
        yield from pairs(layer)
    for transfer in architecture.transfers:
        yield from pairs(transfer.passed_on)
    for transfer in architecture.transfers:
        for layer in (transfer.query, transfer.key, transfer.value):
            yield np.asarray(layer.kernel), None


LAYERS: dict[str, Callable[[Any], Iterator[Layer]]] = {"mmoe": of_mmoe, "ple": of_ple, "aitm": of_aitm}
"""{architecture: its layers in the order in which torch-rechub makes them}."""


def built(name: str, seed: int) -> Any:
    """The architecture with random weights."""
    from models.architectures import ARCHITECTURES
    from models.architectures.encoded import Encoded
    from models.architectures.task_info import TaskInfo
    from models.recipe.registry import load

    tasks = tuple(TaskInfo(name=task, after=TASKS[place - 1] if place else None) for place, task in enumerate(TASKS))
    architecture = load(ARCHITECTURES[name])(tasks, **OPTIONS[name])
    architecture(Encoded(np.zeros((1, WIDTH), np.float32)))
    random = np.random.default_rng(seed)
    for variable in architecture.trainable_variables:
        variable.assign(random.normal(scale=0.5, size=variable.shape))
    for transfer in getattr(architecture, "transfers", ()):
        for layer in (transfer.query, transfer.key, transfer.value):
            layer.bias.assign(np.zeros(layer.bias.shape))
    return architecture


def write(name: str, seed: int, file: Path) -> None:
    """Writes inputs `x`, our probabilities `y` (row, task), and `kernel_i` and `bias_i` of each layer."""
    from models.architectures.encoded import Encoded

    architecture = built(name, seed)
    x = np.random.default_rng([seed, 1]).normal(size=(ROWS, WIDTH)).astype(np.float32)
    logits = np.stack([np.asarray(one) for one in architecture(Encoded(x)).values()], axis=1).astype(np.float64)
    arrays: dict[str, Any] = {"x": x, "y": 1.0 / (1.0 + np.exp(-logits))}
    for place, (kernel, bias) in enumerate(LAYERS[name](architecture)):
        arrays[f"kernel_{place}"] = kernel
        if bias is not None:
            arrays[f"bias_{place}"] = bias
    np.savez(file, **arrays)


def main(seed: int = 1, history: History = HISTORY) -> None:
    """Print the largest difference between our probabilities and torch-rechub's, per architecture; 1 if one is too large."""
    python = environment.python_of(environment.PEERS)
    differences = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, options in OPTIONS.items():
            file = Path(folder) / f"{name}.npz"
            write(name, seed, file)
            question = {"architecture": name, "options": options, "file": str(file)}
            subject = Subject(name=name, module="benchmarks.peers.rechub_parity", question=question, python=python)
            found, _ = fresh(subject, folder)
            differences[name] = found["difference"]
            say(f"{name}: {found['layers']} layers, {ROWS} rows, largest difference {found['difference']:.2g}")
    entry = {
        "benchmark": "parity",
        "differences": differences,
        **stamp(),
    }
    append_history(history, [entry])
    if max(differences.values()) > MOST:
        raise SystemExit(1)


if __name__ == "__main__":
    typer.run(main)
