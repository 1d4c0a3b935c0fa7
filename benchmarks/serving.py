"""Ranking: the exported model in this process and in the development server, compared with the bare matrix products.

python -m benchmarks.serving
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from benchmarks import measure
from benchmarks.figures import append_history
from benchmarks.machine import stamp
from benchmarks.measure import Subject
from benchmarks.session import HISTORY, WORK, History, Seed, Work, say

CANDIDATES = (1, 100, 500)
JUDGED = 500
"""Candidates that the target is for."""

FACTOR, MORE_MS = 2.0, 1.0
"""The 99th percentile in process is to be within FACTOR times that of the bare products and MORE_MS."""

NAMES = {
    "products": "NumPy, the bare matrix products",
    "products_alone": "NumPy, the same on one core",
    "once": "in process",
    "each": "in process, the user's part for each candidate",
    "grpc": "development server, gRPC",
    "rest": "development server, REST",
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Latency:
    """The times of one kind of request.

    Attributes:
        what: a key of NAMES.
        candidates: of each request.
        seconds: of the requests, one after another.
        limit_ms: for the 99th percentile; None for no target.
    """

    what: str
    candidates: int
    seconds: tuple[float, ...]
    limit_ms: float | None = None

    def percentile(self, share: float) -> float:
        """Milliseconds."""
        return 1000 * float(np.percentile(self.seconds, share))

    @property
    def rate(self) -> float:
        """Requests a second."""
        return len(self.seconds) / sum(self.seconds)

    @property
    def met(self) -> bool:
        """Whether it is within its limit."""
        return self.limit_ms is None or self.percentile(99) <= self.limit_ms


def run(work: Path, requests: int, candidates: Sequence[int] = CANDIDATES, **problem: Any) -> list[Latency]:
    """The latencies, by number of candidates.

    Args:
        work: folder for the models.
        requests: of each kind.
        candidates: of a request.
        problem: sizes of a RankingProblem, where they are not its own.
    """
    question = {"candidates": list(candidates), "requests": requests, **problem}
    subject = Subject(name="ranking", module="benchmarks.rank_times", question=question)
    times = measure.measure(subject, work, runs=1, warm_ups=0, say=say).answer["times"]
    found = []
    for count in candidates:
        # On a busy machine several threads that wait for each other may take longer than one.
        bare = min(
            Latency(what=what, candidates=count, seconds=tuple(times[str(count)][what])).percentile(99)
            for what in ("products", "products_alone")
        )
        limit = FACTOR * bare + MORE_MS
        found += [
            Latency(
                what=what,
                candidates=count,
                seconds=tuple(times[str(count)][what]),
                limit_ms=limit if what == "once" and count == JUDGED else None,
            )
            for what in NAMES
        ]
    return found


def table(latencies: Sequence[Latency]) -> Table:
    """As rich prints it."""
    found = Table(title="serving", title_justify="left")
    found.add_column("candidates", justify="right")
    found.add_column("what")
    for name in ("p50 ms", "p99 ms", "requests/s"):
        found.add_column(name, justify="right")
    found.add_column("target")
    found.add_column("met")
    for latency in latencies:
        limit = latency.limit_ms
        found.add_row(
            f"{latency.candidates:,}",
            NAMES[latency.what],
            f"{latency.percentile(50):.2f}",
            f"{latency.percentile(99):.2f}",
            f"{latency.rate:,.0f}",
            "" if limit is None else f"p99 <= {FACTOR:g} x {(limit - MORE_MS) / FACTOR:.2f} + {MORE_MS:g} ms",
            "" if limit is None else "yes" if latency.met else "NO",
        )
    return found


def entries(latencies: Sequence[Latency], settings: dict[str, Any]) -> list[dict[str, Any]]:
    """Lines of the history."""
    return [
        {
            "benchmark": "serving",
            "figure": f"{latency.what}, {latency.candidates} candidates",
            "unit": "requests",
            "requests": len(latency.seconds),
            "p50_ms": latency.percentile(50),
            "p99_ms": latency.percentile(99),
            "requests_per_second": latency.rate,
            "limit_ms": latency.limit_ms,
            "met": None if latency.limit_ms is None else latency.met,
            "settings": settings,
            **stamp(),
        }
        for latency in latencies
    ]


def main(
    requests: Annotated[int, typer.Option(min=1, help="Requests of each kind that count.")] = 300,
    seed: Seed = 7,
    work: Work = WORK,
    history: History = HISTORY,
) -> None:
    """Time `rank` for 1, 100 and 500 candidates.

    MMoE of 8 experts 480 -> 256 -> 128 and two towers of 64, 15 columns of the user and 15 of each candidate, 16 wide. The
    user's part once for each request, as exported, and for each candidate; the bare matrix products are of the latter's
    sizes. Requests come one after another, from one client.
    """
    latencies = run(work, requests, seed=seed)
    append_history(history, entries(latencies, {"requests": requests, "seed": seed}))
    Console(highlight=False, width=120).print(table(latencies))


if __name__ == "__main__":
    typer.run(main)
