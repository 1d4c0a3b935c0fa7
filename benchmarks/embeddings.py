"""Cost of the table size: step time and memory from 10,000 to 10,000,000 rows, compared with Keras' own path.

python -m benchmarks.embeddings --rows 10000000
"""

from __future__ import annotations

import dataclasses
from typing import Annotated

import typer

from benchmarks.figures import Figure, Target
from benchmarks.machine import free_bytes
from benchmarks.measure import Measured, Subject
from benchmarks.session import HISTORY, WORK, History, Runs, Seed, Session, Work
from benchmarks.steps.problem import StepProblem

OURS = "benchmarks.steps.ours"
LARGEST = 10_000_000
"""Default number of rows of a table, and the minimum for which targets are judged."""
SHARES = (1000, 100, 10, 1)
"""The sizes: the largest one by each of these."""
MEMORY = "memory"
MEANING = (
    "Ratio: seconds of a step by those of a step at the smallest size. Memory: growth of the peak since the smallest size, by "
    "that of tables and state."
)

Largest = Annotated[int, typer.Option("--rows", min=1, help="Rows of a table at the largest size.")]

# A small network, so that the tables are a large part of the step.
PROBLEM = StepProblem(features=20, experts=2, units=(64, 32), tower_units=(16,), steps=20)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Kind:
    """A way to train tables.

    Attributes:
        name: in the table.
        state: numbers of the optimizer's state for each number of a table's row, and for each row.
        besides: bytes for each row's number that a step needs for a while, as far as they are known beforehand.
        target: of the largest size.
    """

    name: str
    state: tuple[int, int]
    besides: int = 0
    target: Target | None = None

    def bytes_of(self, rows: int, dim: int) -> int:
        """Table and state."""
        of_number, of_row = self.state
        return 4 * rows * ((1 + of_number) * dim + of_row)

    def needs(self, rows: int, dim: int) -> int:
        """The same, and what a step needs besides."""
        return self.bytes_of(rows, dim) + self.besides * rows * dim + 4 * rows


_OURS = Target(ratio_at_most=2.5, shares_at_most={MEMORY: 1.1})
KINDS = {
    "adagrad": Kind(name="adagrad", state=(0, 1), target=_OURS),
    "adam": Kind(name="adam", state=(2, 0), target=_OURS),
    # Keras' Adam makes the gradient as large as the table.
    "keras": Kind(name="Keras' adam", state=(2, 0), besides=8),
}


def run(session: Session, problem: StepProblem, memory: int) -> list[Figure]:
    """The figures of each kind, from the smallest size to the largest.

    Args:
        session: its rows are those of a table at the largest size.
        problem: of the step.
        memory: bytes that a process may take.

    Raises:
        ValueError: not even one table fits.
    """
    figures: list[Figure] = []
    for how, kind in KINDS.items():
        tables = fitting(kind, problem, session.rows, memory)
        small: Measured | None = None
        for part in SHARES:
            rows = max(1, session.rows // part)
            sized = dataclasses.replace(problem, table_rows=rows, tables=tables, seed=session.seed)
            name = f"{kind.name}, {tables} x {rows:,}"
            question = sized.as_question(embedding_optimizer=how)
            measured = session.time(Subject(name=name, module=OURS, question=question))
            if small is None:
                small = measured
                figures.append(Figure(measured=measured))
                continue
            held = tables * (kind.bytes_of(rows, problem.dim) - kind.bytes_of(session.rows // SHARES[0], problem.dim))
            grown = {MEMORY: (measured.peak_bytes - small.peak_bytes) / held}
            target = (kind.target if part == SHARES[-1] else None) or Target()
            figures.append(Figure(measured=measured, against=small, shares=grown, target=target))
    return figures


def fitting(kind: Kind, problem: StepProblem, rows: int, memory: int) -> int:
    """How many tables of so many rows fit, one for each feature at most.

    Raises:
        ValueError: not even one.
    """
    tables = min(problem.features, memory // kind.needs(rows, problem.dim))
    if not tables:
        needed = kind.needs(rows, problem.dim)
        raise ValueError(
            f"{kind.name}: a table of {rows:,} rows needs {needed / 2**30:.1f} GiB, and {memory / 2**30:.1f} GiB may be "
            "used: use fewer --rows, or free memory"
        )
    return tables


def main(
    rows: Largest = LARGEST,
    runs: Runs = 5,
    seed: Seed = 1,
    work: Work = WORK,
    history: History = HISTORY,
) -> None:
    """Time training steps of 4,096 examples with 20 features x 16 from tables of --rows / 1000 rows to --rows.

    Ids are uniform, the worst case. A table for each feature, where those of the largest size fit into three quarters of
    the memory that is free; else the features share as many as fit, at all sizes. Memory: the growth of the
    process' peak since the smallest size by that of tables and optimizer state. The network is small: MMoE, 2 experts 320 -> 64 -> 32.
    """
    session = Session(rows=rows, runs=runs, seed=seed, work=work, history=history)
    memory = free_bytes() * 3 // 4
    session.report(
        "embeddings",
        run(session, PROBLEM, memory),
        {"problem": PROBLEM.as_question(), "memory_bytes": memory},
        judged=rows >= LARGEST,
        unit="examples",
        ratio=MEANING,
    )


if __name__ == "__main__":
    typer.run(main)
