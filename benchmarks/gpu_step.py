"""The training step on a GPU: ours on TensorFlow, our layers on JAX, and torch-rechub, on the same card.

python -m benchmarks.gpu_step --rows 655360
"""

from __future__ import annotations

import dataclasses
import itertools
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal

import typer

from benchmarks.figures import Figure
from benchmarks.machine import has_gpu
from benchmarks.measure import Measured, Subject
from benchmarks.peers.environment import JAX, JAX_GPU, PEERS, NoEnvironment, python_of
from benchmarks.session import HISTORY, WORK, Examples, History, PeerRows, Runs, Seed, Session, Work
from benchmarks.steps.problem import StepProblem
from benchmarks.steps.shares import BANDWIDTH, PRODUCTS, Rates, device_rates, in_words, of_bandwidth, of_products
from benchmarks.training_step import ARCHITECTURES, ours, rechub, without_loader

JAX_STEP = "benchmarks.steps.jax_step"
TABLES = 10
"""The features share so many tables; the vocabulary is that of all together."""
SMALL = StepProblem(experts=3, units=(16, 8), tower_units=(8,))
"""For a CPU."""
MEANING = "Ratio: examples/s of ours on TensorFlow in float32 by examples/s of the line."

Device = Annotated[Literal["gpu", "cpu"], typer.Option(help="cpu: a test run without meaning for GPUs.")]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Grid:
    """The sizes: every one with every other."""

    features: tuple[int, ...] = (30, 200)
    vocabularies: tuple[int, ...] = (1_000_000, 50_000_000)
    batches: tuple[int, ...] = (4_096, 16_384, 65_536)

    def problems(self, base: StepProblem) -> Iterator[StepProblem]:
        """One for each size and architecture."""
        sizes = itertools.product(ARCHITECTURES, self.features, self.vocabularies, self.batches)
        for architecture, features, vocabulary, batch in sizes:
            tables = min(TABLES, features)
            yield dataclasses.replace(
                base,
                architecture=architecture,
                features=features,
                tables=tables,
                table_rows=vocabulary // tables,
                batch=batch,
            )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Pythons:
    """Of the environments; None for one that could not be made."""

    peers: Path
    jax: Path | None


def run(
    session: Session, grid: Grid, base: StepProblem, pythons: Pythons, device: str
) -> tuple[list[Figure], dict[str, Rates]]:
    """The figures of every size, and {features and batch: the card's rates for their products}.

    Args:
        session: its rows are the examples that ours are timed with, `few` those of torch-rechub.
        grid: sizes.
        base: the sizes that are the same everywhere.
        pythons: of the environments.
        device: cpu or gpu.
    """
    figures: list[Figure] = []
    rates: dict[str, Rates] = {}
    for problem in grid.problems(dataclasses.replace(base, seed=session.seed)):
        sized = problem.of_examples(session.rows)
        size = f"{problem.features} features, batch {problem.batch:,}"
        if size not in rates:
            rates[size] = device_rates(session.once, sized, pythons.peers, device)
        float32, *others = _measured(session, sized, pythons, device)
        figures.append(Figure(measured=float32, shares=shares(sized, float32, rates[size])))
        for measured in others:
            precision = "bfloat16" if "bfloat16" in measured.name else "float32"
            its_shares = shares(sized, measured, rates[size], precision)
            figures.append(Figure(measured=measured, against=float32, shares=its_shares))
    return figures, rates


def _measured(session: Session, problem: StepProblem, pythons: Pythons, device: str) -> Iterator[Measured]:
    """Ours in float32 and in bfloat16, on JAX, and torch-rechub with its loader and without."""
    vocabulary = f"{problem.table_rows * problem.table_count:,}"
    name = f"{ARCHITECTURES[problem.architecture]} {problem.features} x {vocabulary} by {problem.batch:,}"
    yield on_card(session.time(ours(f"{name}: ours", problem, "float32", device)))
    yield on_card(session.time(ours(f"{name}: ours, bfloat16", problem, "mixed_bfloat16", device)))
    if pythons.jax is not None:
        yield on_card(session.time(on_jax(f"{name}: ours on JAX", problem, pythons.jax, device)))
    few = problem.of_examples(session.few)
    peer = on_card(session.time(rechub(f"{name}: torch-rechub", few, pythons.peers, device)))
    yield peer
    yield without_loader(peer)


def on_jax(name: str, problem: StepProblem, python: Path, device: str) -> Subject:
    """Our layers, in an environment without TensorFlow."""
    question = problem.as_question(device=device)
    return Subject(name=name, module=JAX_STEP, question=question, python=python, environment={"KERAS_BACKEND": "jax"})


def on_card(measured: Measured) -> Measured:
    """With the peak of the card's memory, where there is one."""
    return dataclasses.replace(measured, peak_bytes=int(measured.answer.get("device_peak_bytes", measured.peak_bytes)))


def shares(problem: StepProblem, measured: Measured, rates: Rates, precision: str = "float32") -> Mapping[str, float]:
    """Of the card's rate of products and of its bandwidth."""
    number_bytes = 4 if precision == "float32" else 2
    return {
        PRODUCTS: of_products(problem, measured, rates[precision]),
        BANDWIDTH: of_bandwidth(problem, measured, rates["bytes"], number_bytes),
    }


def main(
    rows: Examples = 655_360,
    peer_rows: PeerRows = 131_072,
    runs: Runs = 3,
    seed: Seed = 1,
    work: Work = WORK,
    history: History = HISTORY,
    device: Device = "gpu",
) -> None:
    """Time training steps on one GPU: MMoE and PLE, 8 experts, 30 and 200 features x 16, 1 M and 50 M rows of tables.

    --peer-rows: examples of torch-rechub. Ours is the trainer's step and feed,
    with lazy Adam in the tables; torch-rechub's Adam goes over everything. On JAX run the layers and architectures as they
    are, in a step of the benchmark's own with plain gradient descent in the tables. The bandwidth's share is of the bytes
    that a step has to move at the least. With --device cpu the sizes are tiny.
    """
    if device == "gpu" and not has_gpu():
        print("gpu_step: no NVIDIA GPU found (no /dev/nvidia0). Use --device cpu for a test run.", file=sys.stderr)
        raise typer.Exit(1)
    session = Session(rows=rows, peer_rows=peer_rows, runs=runs, seed=seed, work=work, history=history)
    grid, base, requirements = Grid(), StepProblem(), JAX_GPU
    if device == "cpu":
        grid, base, requirements = Grid(features=(30,), vocabularies=(10_000,), batches=(256,)), SMALL, JAX
    notes = []
    jax: Path | None = None
    try:
        jax = python_of(requirements)
    except NoEnvironment as error:
        notes.append(f"Not measured on JAX: {error}")
    figures, rates = run(session, grid, base, Pythons(peers=python_of(PEERS), jax=jax), device)
    card = figures[0].measured.answer["device"]
    notes.append(f"Device: {card}. Peak: of the card's memory.")
    notes += [f"{size}: {in_words(found)}" for size, found in rates.items()]
    settings = {"problem": base.as_question(), "device": card, "rates": rates}
    session.report("gpu_step", figures, settings, judged=False, unit="examples", ratio=MEANING, notes=notes)


if __name__ == "__main__":
    typer.run(main)
