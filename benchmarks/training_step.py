"""The training step of MMoE and PLE: ours in float32 and in bfloat16, and torch-rechub's, each with its own loader.

python -m benchmarks.training_step --rows 163840
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import typer

from benchmarks.figures import Figure, Target
from benchmarks.machine import multiplies_bfloat16
from benchmarks.measure import Measured, Subject
from benchmarks.peers.environment import PEERS, python_of
from benchmarks.session import HISTORY, WORK, Examples, History, Runs, Seed, Session, Work
from benchmarks.steps.problem import StepProblem
from benchmarks.steps.shares import PRODUCTS, Rates, device_rates, in_words, of_products

ARCHITECTURES = {"mmoe": "MMoE", "ple": "PLE"}
OURS = "benchmarks.steps.ours"
RECHUB = "benchmarks.peers.rechub_step"
EXAMPLES = 163_840
"""Examples that are timed by default, and from which on the targets are judged."""
MEANING = "Ratio: examples/s of ours in float32 by examples/s of the line; 0.5 x: the line is twice as fast."


def run(session: Session, problem: StepProblem, peers: Path) -> tuple[list[Figure], Rates]:
    """The figures of each architecture: float32 and bfloat16, ours; torch-rechub with its loader, and without.

    Args:
        session: its rows are the examples that are timed.
        problem: sizes, without architecture and steps.
        peers: Python of the peers' environment.

    Returns:
        The figures, and the device's rates.
    """
    sized = dataclasses.replace(problem.of_examples(session.rows), seed=session.seed)
    rates = device_rates(session.once, sized, peers)
    figures: list[Figure] = []
    for architecture in ARCHITECTURES:
        figures += _of_one(session, dataclasses.replace(sized, architecture=architecture), peers, rates)
    return figures, rates


def ours(name: str, problem: StepProblem, precision: str = "float32", device: str = "cpu") -> Subject:
    """Our step."""
    return Subject(name=name, module=OURS, question=problem.as_question(precision=precision, device=device))


def rechub(name: str, problem: StepProblem, peers: Path, device: str = "cpu") -> Subject:
    """torch-rechub's."""
    return Subject(name=name, module=RECHUB, question=problem.as_question(device=device), python=peers)


def without_loader(measured: Measured) -> Measured:
    """torch-rechub's steps alone, on batches that were made before."""
    seconds = (float(measured.answer["step_seconds"]),)
    return dataclasses.replace(measured, name=f"{measured.name}, no loader", seconds=seconds)


def _of_one(session: Session, problem: StepProblem, peers: Path, rates: Rates) -> list[Figure]:
    name = ARCHITECTURES[problem.architecture]
    float32 = session.time(ours(f"{name}, ours", problem))
    bfloat16 = session.time(ours(f"{name}, ours, bfloat16", problem, "mixed_bfloat16"))
    peer = session.time(rechub(f"{name}, torch-rechub", problem, peers))
    stepping = without_loader(peer)

    def share(measured: Measured, precision: str = "float32") -> dict[str, float]:
        return {PRODUCTS: of_products(problem, measured, rates[precision])}

    faster = Target(ratio_at_most=1 / 1.5) if multiplies_bfloat16() else Target()
    return [
        Figure(measured=float32, shares=share(float32), target=Target(shares={PRODUCTS: 0.7})),
        Figure(measured=bfloat16, against=float32, shares=share(bfloat16, "bfloat16"), target=faster),
        Figure(measured=peer, against=float32, shares=share(peer), target=Target(ratio=1.3)),
        Figure(measured=stepping, against=float32, shares=share(stepping)),
    ]


def main(
    rows: Examples = EXAMPLES,
    runs: Runs = 5,
    seed: Seed = 1,
    work: Work = WORK,
    history: History = HISTORY,
) -> None:
    """Time training steps: 8 experts 480 -> 256 -> 128, 2 tasks, 30 features x 16, batches of 4,096.

    A few steps warm up. Ours is the trainer's own step and feed (Adam, lazy
    in the tables); torch-rechub's is its MTLTrainer with its DataGenerator (Adam over everything, a BatchNorm in each
    layer). PLE has one level of 3 + 3 experts of the tasks and 2 shared ones. On a machine that does something else
    besides, PyTorch's threads wait for each other, and the peer loses more than we do: leave it alone.
    """
    session = Session(rows=rows, runs=runs, seed=seed, work=work, history=history)
    problem = StepProblem()
    figures, rates = run(session, problem, python_of(PEERS))
    notes = [in_words(rates)]
    if not multiplies_bfloat16():
        notes.append("This CPU has no instructions for bfloat16: there is no target for it.")
    session.report(
        "training_step",
        figures,
        {"problem": problem.as_question(), "rates": dict(rates)},
        judged=rows >= EXAMPLES,
        unit="examples",
        ratio=MEANING,
        notes=notes,
    )


if __name__ == "__main__":
    typer.run(main)
