"""Shared code of the benchmarks: command line options, inputs, and reports."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks import measure
from benchmarks.figures import Figure, Target, report
from benchmarks.measure import Measured, Subject
from benchmarks.prepare import RECIPE, Inputs

JUDGED_FROM = 1_000_000
"""Minimum number of rows for which targets are judged. The targets are for 1 M and 10 M rows."""

Rows = Annotated[int, typer.Option(min=1, help="Impressions in the logs.")]
Examples = Annotated[int, typer.Option("--rows", min=1, help="Examples that are timed.")]
PeerRows = Annotated[int, typer.Option(min=1, help="Rows of a slow peer. It runs once.")]
Runs = Annotated[int, typer.Option(min=1, help="Number of runs after a warm-up run. The median is reported.")]
Seed = Annotated[int, typer.Option(help="Seed of the simulation.")]
Skew = Annotated[bool, typer.Option("--skew", help="Give one user 5% of the impressions.")]
Work = Annotated[Path, typer.Option(metavar="DIR", help="Folder of logs, examples and outputs. Reusable files stay.")]
History = Annotated[Path, typer.Option(metavar="FILE", help="JSON lines file to which each figure is appended.")]
Recipe = Annotated[
    Path, typer.Option(metavar="FILE", show_default="benchmarks/wide.yaml", help="A recipe over the wide logs.")
]

WORK = Path("runs/bench")
HISTORY = Path("runs/bench-history.jsonl")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Session:
    """A run of a benchmark: the values of its options."""

    rows: int
    peer_rows: int = 0
    runs: int = 5
    warm_ups: int = 1
    seed: int = 7
    skew: bool = False
    work: Path = WORK
    history: Path = HISTORY
    recipe: Path = RECIPE
    further: bool = True
    """Whether a peer with a slow start is run at two sizes (`slow_peer`)."""

    @property
    def judged(self) -> bool:
        """Whether there are so many rows that the targets apply."""
        return self.rows >= JUDGED_FROM

    @property
    def few(self) -> int:
        """Rows of a slow peer: never more than ours."""
        return min(self.peer_rows, self.rows)

    def inputs(self, rows: int | None = None, *overrides: str) -> Inputs:
        """The inputs over so many impressions, by default `rows`."""
        return Inputs(
            work=self.work,
            rows=rows or self.rows,
            seed=self.seed,
            skew=self.skew,
            recipe=self.recipe,
            overrides=overrides,
            say=say,
        )

    def time(self, subject: Subject) -> Measured:
        """Measures the subject with the number of runs in the options."""
        return measure.measure(subject, self.work, self.runs, self.warm_ups, say)

    def once(self, subject: Subject) -> Measured:
        """Measures a slow subject once."""
        return measure.measure(subject, self.work, 1, 0, say)

    def slow_peer(self, make: Callable[[int], Subject], rows: int, ours: Measured, ratio: float) -> list[Figure]:
        """The figures of a peer with a long start-up.

        It runs once on `rows` and once on a tenth of them. The target is compared with the rate of the additional rows.

        Args:
            make: number of rows -> the subject.
            rows: number of rows of the peer.
            ours: our measurement.
            ratio: the target.
        """
        large = self.once(make(rows))
        if not self.further:
            return [Figure(measured=large, against=ours, target=Target(ratio=ratio))]
        further = beyond(self.once(make(max(1, rows // 10))), large)
        return [
            Figure(measured=large, against=ours),
            Figure(measured=further, against=ours, target=Target(ratio=ratio)),
        ]

    def report(
        self, benchmark: str, figures: Sequence[Figure], more: Mapping[str, Any] | None = None, **how: Any
    ) -> None:
        """Table and history; `more`: settings besides those of the session."""
        settings = {
            name: str(value) if isinstance(value, Path) else value for name, value in dataclasses.asdict(self).items()
        }
        report(benchmark, figures, {**settings, **(more or {})}, self.history, **{"judged": self.judged, **how})


def beyond(small: Measured, large: Measured) -> Measured:
    """Cost of the additional rows of a peer's larger run, without its start-up.

    Raises:
        ValueError: the larger run was not larger.
    """
    rows, seconds = large.rows - small.rows, large.median - small.median
    if rows <= 0:
        raise ValueError(f"expected more rows than {small.rows:,}, received {large.rows:,}")
    name = f"{large.name}, per further row"
    # At tiny sizes chance may make the larger run the shorter one.
    return Measured(name=name, rows=rows, seconds=(max(seconds, 1e-3),), peak_bytes=large.peak_bytes)


def say(message: str) -> None:
    """Prints to standard error; the table goes to standard output."""
    print(message, file=sys.stderr, flush=True)
