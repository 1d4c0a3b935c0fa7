"""The best 100 items for a user: the served model, NumPy, faiss and the approximate index.

python -m benchmarks.top_k --rows 1000000
"""

from __future__ import annotations

import dataclasses
import shutil
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from benchmarks import measure
from benchmarks.figures import GIB, append_history
from benchmarks.machine import free_bytes, stamp
from benchmarks.measure import Measured, Subject
from benchmarks.session import HISTORY, WORK, History, Seed, Work, say

SIZES = (10_000, 1_000_000, 10_000_000)
"""Items of the catalogues."""

K, DIM, BATCH, USERS = 100, 64, 64, 2_048

NAMES = {
    "served": "as served: TFRS BruteForce",
    "streaming": "TFRS Streaming",
    "numpy": "NumPy: product, argpartition",
    "faiss": "faiss IndexFlatIP",
    "approximate": "gatewise index",
}
COPIES = {"served": 3, "streaming": 1, "numpy": 1, "faiss": 2, "approximate": 2}
"""Of all vectors that are in memory at once while a way gets ready."""

SCORES = ("served", "numpy")
"""Ways that have all scores of a batch in memory, beside one copy of the vectors."""

_LIBRARIES = GIB


@dataclasses.dataclass(frozen=True, kw_only=True)
class Searched:
    """A line of the table.

    Attributes:
        way: a key of NAMES.
        items: of the catalogue.
        measured: its answer is that of `benchmarks.searches.times`.
        recall: share of the best K, as the exact way of reference finds them, that this one found.
    """

    way: str
    items: int
    measured: Measured
    recall: float

    def percentile(self, percent: int) -> float:
        """Milliseconds of a query that comes alone."""
        seconds = self.measured.answer["singles"]
        return 1000 * (
            statistics.quantiles(seconds, n=100, method="inclusive")[percent - 1] if seconds[1:] else seconds[0]
        )

    @property
    def rate(self) -> float:
        """Queries a second, one by one."""
        return 1.0 / statistics.mean(self.measured.answer["singles"])

    @property
    def batch_rate(self) -> float:
        """Queries a second in batches."""
        return BATCH / statistics.mean(self.measured.answer["batches"])

    @property
    def about(self) -> str:
        """What is compared."""
        found = self.measured.answer["about"]
        if not found:
            return NAMES[self.way]
        how = f"{found['searched_lists']} of {found['lists']} lists" if found["lists"] else "all items"
        return f"{NAMES[self.way]}: {how}"


def run(
    work: Path, items: int, singles: int, batches: int, seed: int, memory: int, dim: int = DIM
) -> tuple[list[Searched], list[str]]:
    """The lines of one catalogue, and which ways were left out for want of memory.

    Args:
        work: folder for the catalogue, which stays.
        items: of it.
        singles: queries that come one by one.
        batches: of BATCH queries.
        seed: of the vectors.
        memory: bytes that a process may take.
        dim: of the vectors.
    """
    catalogue = work / "top_k" / f"{items}x{dim}-{seed}"
    question: dict[str, Any] = {"folder": str(catalogue.resolve())}
    making = {**question, "rows": items, "dim": dim, "seed": seed, "queries": USERS}
    _once(Subject(name=f"catalogue of {items:,}", module="benchmarks.searches.catalogue", question=making), work)
    question |= {"k": min(K, items), "batch": BATCH, "singles": singles, "batches": batches}
    measured, left_out = {}, []
    for way in chosen(items, dim, memory):
        if needs(way, items, dim) > memory:
            left_out.append(
                f"{NAMES[way]}, {items:,} items: omitted, because it needs {needs(way, items, dim) / GIB:.1f} GiB, but only "
                f"{memory / GIB:.1f} are available."
            )
            continue
        measured[way] = _searched(f"{NAMES[way]}, {items:,} items", {**question, "way": way}, work)
    if not measured:
        return [], left_out
    best = measured["numpy" if "numpy" in measured else next(iter(measured))].answer["answers"]
    return [
        Searched(way=way, items=items, measured=one, recall=recall(one.answer["answers"], best))
        for way, one in measured.items()
    ], left_out


def chosen(items: int, dim: int, memory: int) -> tuple[str, ...]:
    """The ways: TFRS Streaming in the place of what is served only where that does not fit."""
    exact = "served" if needs("served", items, dim) <= memory else "streaming"
    return (exact, "numpy", "faiss", "approximate")


def needs(way: str, items: int, dim: int) -> int:
    """Bytes of memory, about."""
    table = 4 * items * dim
    searching = table + 4 * items * BATCH if way in SCORES else table
    return max(COPIES[way] * table, searching) + _LIBRARIES


def recall(answers: Sequence[Sequence[int]], best: Sequence[Sequence[int]]) -> float:
    """The mean share of the best that is among the answers."""
    return statistics.mean(len(set(one) & set(other)) / len(other) for one, other in zip(answers, best, strict=True))


def table(lines: Sequence[Searched]) -> Table:
    """As rich prints it."""
    found = Table(title="top_k", title_justify="left")
    found.add_column("items", justify="right")
    found.add_column("what")
    for name in (
        "queries/s",
        "ratio",
        "p50 ms",
        "p99 ms",
        f"by {BATCH}",
        "ratio",
        f"recall@{K}",
        "ready s",
        "held MiB",
    ):
        found.add_column(name, justify="right")
    found.add_column("peak MiB", justify="right")
    for line in lines:
        ours = _beside(line, lines)
        found.add_row(
            f"{line.items:,}",
            line.about,
            f"{line.rate:,.0f}",
            "" if ours is line else f"{ours.rate / line.rate:.3g} x",
            f"{line.percentile(50):.2f}",
            f"{line.percentile(99):.2f}",
            f"{line.batch_rate:,.0f}",
            "" if ours is line else f"{ours.batch_rate / line.batch_rate:.3g} x",
            f"{line.recall:.3f}",
            f"{line.measured.answer['build_seconds']:.1f}",
            f"{line.measured.answer['held_bytes'] / 2**20:,.0f}",
            f"{line.measured.peak_bytes / 2**20:,.0f}",
        )
    return found


def entries(lines: Sequence[Searched], settings: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Lines of the history."""
    return [
        {
            "benchmark": "top_k",
            "figure": f"{line.way}, {line.items} items",
            "unit": "queries",
            "queries_per_second": line.rate,
            "queries_per_second_in_batches": line.batch_rate,
            "p50_ms": line.percentile(50),
            "p99_ms": line.percentile(99),
            "recall": line.recall,
            "ratio": _beside(line, lines).rate / line.rate,
            "ratio_in_batches": _beside(line, lines).batch_rate / line.batch_rate,
            "build_seconds": line.measured.answer["build_seconds"],
            "held_bytes": line.measured.answer["held_bytes"],
            "peak_bytes": line.measured.peak_bytes,
            "serving_peak_bytes": line.measured.answer.get("serving_peak_bytes"),
            "about": line.measured.answer["about"],
            "settings": dict(settings),
            **stamp(),
        }
        for line in lines
    ]


def _searched(name: str, question: Mapping[str, Any], work: Path) -> Measured:
    """One way. What is served is exported before, which counts for the seconds and for the peak."""
    subject = Subject(name=name, module="benchmarks.searches.times", question=question)
    if question["way"] != "served":
        return _once(subject, work)
    model = Path(question["folder"]) / "served"
    try:
        making = Subject(
            name=f"export of {name}",
            module="benchmarks.searches.served",
            question={**question, "model": str(model)},
        )
        exported = _once(making, work)
        found = _once(subject, work)
    finally:
        shutil.rmtree(model, ignore_errors=True)
    seconds = found.answer["build_seconds"] + exported.median
    answer = {**found.answer, "build_seconds": seconds, "serving_peak_bytes": found.peak_bytes}
    return dataclasses.replace(found, peak_bytes=max(found.peak_bytes, exported.peak_bytes), answer=answer)


def _once(subject: Subject, work: Path) -> Measured:
    return measure.measure(subject, work, runs=1, warm_ups=0, say=say)


def _beside(line: Searched, lines: Sequence[Searched]) -> Searched:
    """What of TFRS stands beside it, the first of its catalogue."""
    return next(other for other in lines if other.items == line.items)


def main(
    rows: Annotated[int, typer.Option("--rows", min=1, help="Items of the largest catalogue.")] = SIZES[-1],
    singles: Annotated[int, typer.Option(min=2, help="Queries one by one that count.")] = 300,
    batches: Annotated[int, typer.Option(min=1, help=f"Batches of {BATCH} queries that count.")] = 20,
    seed: Seed = 1,
    work: Work = WORK,
    history: History = HISTORY,
) -> None:
    """Time the search of the 100 best of 10,000, 1 M and 10 M items with vectors of 64 numbers, or of those below --rows and --rows.

    Each way in a process of its own, from the item table to the answers' ids, which are compared with those of NumPy. "Held"
    is what the index adds to the memory of a process that has imported its libraries; "peak" is that of the whole process,
    getting ready included. What is served is exported in a process before, whose seconds count too, and whose peak if it is higher.
    What does not fit into three quarters of the free memory is left out.
    """
    settings = {"singles": singles, "batches": batches, "batch": BATCH, "dim": DIM, "k": K, "seed": seed}
    lines, left_out = [], []
    for items in [*(size for size in SIZES if size < rows), rows]:
        found, without = run(work, items, singles, batches, seed, free_bytes() * 3 // 4)
        append_history(history, entries(found, settings))
        lines += found
        left_out += without
    console = Console(highlight=False, width=max(160, Console().width))
    console.print(table(lines))
    console.print(
        "Ratio: queries/s of the first line of a catalogue, which is TFRS, by queries/s of the line.", markup=False
    )
    for note in left_out:
        console.print(note, markup=False)


if __name__ == "__main__":
    typer.run(main)
