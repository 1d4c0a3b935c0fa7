"""What the benchmarks share: their command line's options, their inputs, and where figures go."""

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
"""Rows from which on the targets are judged: they are for 1 M and 10 M."""

Rows = Annotated[int, typer.Option(min=1, help="Impressions in the logs.")]
Examples = Annotated[int, typer.Option("--rows", min=1, help="Examples that are timed.")]
PeerRows = Annotated[int, typer.Option(min=1, help="Rows of a slow peer, which runs once.")]
Runs = Annotated[int, typer.Option(min=1, help="Runs that count, after one that warms up; their median is reported.")]
Seed = Annotated[int, typer.Option(help="Of what is simulated.")]
Skew = Annotated[bool, typer.Option("--skew", help="Give one user 5% of the impressions.")]
Work = Annotated[
    Path, typer.Option(metavar="DIR", help="For logs, examples and outputs; what can be used again stays.")
]
History = Annotated[Path, typer.Option(metavar="FILE", help="JSON lines to which each figure is appended.")]
Recipe = Annotated[
    Path, typer.Option(metavar="FILE", show_default="benchmarks/wide.yaml", help="A recipe over the wide logs.")
]

WORK = Path("runs/bench")
HISTORY = Path("runs/bench-history.jsonl")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Session:
    """One benchmark's run: the values of the options."""

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
        """The subject as often as the options say."""
        return measure.measure(subject, self.work, self.runs, self.warm_ups, say)

    def once(self, subject: Subject) -> Measured:
        """A slow subject a single time."""
        return measure.measure(subject, self.work, 1, 0, say)

    def slow_peer(self, make: Callable[[int], Subject], rows: int, ours: Measured, ratio: float) -> list[Figure]:
        """The figures of a peer that takes long before its first row.

        It runs once at `rows` and once at a tenth of them; the target is held against the rate of the further rows.

        Args:
            make: number of rows -> the subject.
            rows: the peer's.
            ours: what it stands beside.
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
    """What the rows cost that a peer had more of in its larger run: without what it takes before the first row.

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
    """To standard error, where the table is not."""
    print(message, file=sys.stderr, flush=True)
