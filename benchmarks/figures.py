"""Figures from measurements: ratios to the peers, targets, a table, and one history line per figure."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.machine import stamp
from benchmarks.measure import Measured

GIB = 2**30


@dataclasses.dataclass(frozen=True, kw_only=True)
class Target:
    """Targets of a figure, all optional.

    Attributes:
        rate: rows a second, at least.
        ratio: at least.
        ratio_at_most: the ratio again, from above.
        peak_gib: peak memory of any process in GiB, below.
        shares: {share: at least}.
        shares_at_most: {share: at most}.
        otherwise: the reason if the target is not met, and what would be needed.
    """

    rate: float | None = None
    ratio: float | None = None
    ratio_at_most: float | None = None
    peak_gib: float | None = None
    shares: Mapping[str, float] = dataclasses.field(default_factory=dict)
    shares_at_most: Mapping[str, float] = dataclasses.field(default_factory=dict)
    otherwise: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Figure:
    """A row of the table.

    Attributes:
        measured: the measurement.
        against: for a peer, our own measurement; for our larger run, our smaller run; None for no ratio.
        target: the target.
        shares: {name: share}, each a column of the table in percent.
    """

    measured: Measured
    against: Measured | None = None
    target: Target = Target()
    shares: Mapping[str, float] = dataclasses.field(default_factory=dict)

    @property
    def ratio(self) -> float | None:
        """Rate of `against` by this one's: of rates, as a slow peer gets fewer rows."""
        return None if self.against is None else self.against.rate / self.measured.rate

    def verdicts(self) -> Iterator[tuple[str, bool]]:
        """(target in words, whether it is met)."""
        target, ratio = self.target, self.ratio
        if target.rate is not None:
            yield f">= {target.rate:,.0f}/s", self.measured.rate >= target.rate
        if target.ratio is not None and ratio is not None:
            words = f">= {target.ratio:g} x" if target.ratio >= 1 else f"within {1 / target.ratio:g} x"
            yield words, ratio >= target.ratio
        if target.ratio_at_most is not None and ratio is not None:
            yield f"<= {target.ratio_at_most:.3g} x", ratio <= target.ratio_at_most
        if target.peak_gib is not None:
            yield f"< {target.peak_gib:g} GiB", self.measured.peak_bytes < target.peak_gib * GIB
        for name, least in target.shares.items():
            yield f">= {least:.0%} {name}", self.shares[name] >= least
        for name, most in target.shares_at_most.items():
            yield f"<= {most:.0%} {name}", self.shares[name] <= most


def append_history(history: Path, lines: Iterable[Mapping[str, Any]]) -> None:
    """Appends lines to a file of JSON lines, whose folder is made."""
    history.parent.mkdir(parents=True, exist_ok=True)
    with open(history, "a", encoding="utf-8") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)


def report(
    benchmark: str,
    figures: Sequence[Figure],
    settings: Mapping[str, Any],
    history: Path,
    *,
    judged: bool = True,
    unit: str = "rows",
    ratio: str = "Ratio: {unit}/s of ours by {unit}/s of the peer, each at its own number of {unit}.",
    notes: Sequence[str] = (),
) -> None:
    """Prints the table and appends the figures to the history.

    Args:
        benchmark: its name, also the table's title.
        figures: in the order of the table.
        settings: sizes, seed and whatever else decides what was measured.
        history: file of JSON lines; its folder is made.
        judged: whether the sizes are those that the targets are for; if not, the table says so instead of yes or no.
        unit: what is counted.
        ratio: what the column of ratios means, in a sentence; {unit} stands for the unit.
        notes: sentences below the table.
    """
    lines = [_entry(benchmark, figure, settings, judged, unit) for figure in figures]
    append_history(history, lines)
    console = Console(highlight=False, width=max(120, Console().width))
    console.print(table(benchmark, figures, judged=judged, unit=unit))
    if any(figure.ratio is not None for figure in figures):
        console.print(ratio.format(unit=unit), markup=False)
    for figure in figures:
        if judged and figure.target.otherwise and not all(met for _, met in figure.verdicts()):
            console.print(f"{figure.measured.name}, not met: {figure.target.otherwise}", markup=False)
    for note in notes:
        console.print(note, markup=False)


def table(benchmark: str, figures: Sequence[Figure], *, judged: bool, unit: str) -> Table:
    """The figures as rich prints them."""
    found = Table(title=benchmark, title_justify="left")
    found.add_column("what")
    for name in (unit, "seconds", f"{unit}/s", "peak MiB", "ratio"):
        found.add_column(name, justify="right")
    shares = list(dict.fromkeys(name for figure in figures for name in figure.shares))
    for name in shares:
        found.add_column(name, justify="right")
    found.add_column("target")
    found.add_column("met")
    for figure in figures:
        measured, verdicts = figure.measured, list(figure.verdicts())
        found.add_row(
            measured.name,
            f"{measured.rows:,}",
            f"{measured.median:.2f}",
            f"{measured.rate:,.0f}",
            f"{measured.peak_bytes / 2**20:,.0f}",
            "" if figure.ratio is None else f"{figure.ratio:.3g} x",
            *(f"{figure.shares[name]:.0%}" if name in figure.shares else "" for name in shares),
            "\n".join(words for words, _ in verdicts),
            "\n".join(("yes" if met else "NO") if judged else "too few" for _, met in verdicts),
        )
    return found


def _entry(benchmark: str, figure: Figure, settings: Mapping[str, Any], judged: bool, unit: str) -> dict[str, Any]:
    measured = figure.measured
    return {
        "benchmark": benchmark,
        "figure": measured.name,
        "against": None if figure.against is None else figure.against.name,
        "unit": unit,
        "rows": measured.rows,
        "seconds": list(measured.seconds),
        "median_seconds": measured.median,
        "rows_per_second": measured.rate,
        "peak_bytes": measured.peak_bytes,
        "ratio": figure.ratio,
        "shares": dict(figure.shares),
        "targets": [{"target": words, "met": met if judged else None} for words, met in figure.verdicts()],
        "answer": dict(measured.answer),
        "settings": dict(settings),
        **stamp(),
    }
