"""Limits of a model: the latency of a ranking request and the size of its files."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from components.probe.plan import ProbePlan
from models.serving.named_rows import page_of, rank_columns

REQUESTS = 200
"""Number of timed requests, unless they take longer than SECONDS in total."""

SECONDS = 20.0

WARM_UPS = 5


def latency(
    rank: Callable[[Mapping[str, Any]], Any],
    rows: Sequence[Mapping[str, Any]],
    inputs: Mapping[str, Mapping[str, Any]],
    page: int,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, float]:
    """{"p50", "p99"} in milliseconds of ranking `page` candidates in this process, cycling through the users.

    Args:
        rank: the signature `rank`.
        rows: real rows, repeated to fill the page.
        inputs: the model's columns.
        page: number of candidates.
        clock: returns seconds.
    """
    candidates = [rows[place % len(rows)] for place in range(page)]
    requests = [rank_columns(page_of(row, candidates, inputs), inputs) for row in rows[:10]]
    for number in range(WARM_UPS):
        rank(requests[number % len(requests)])
    times: list[float] = []
    end = clock() + SECONDS
    while len(times) < REQUESTS and (not times or clock() < end):
        begin = clock()
        rank(requests[len(times) % len(requests)])
        times.append(clock() - begin)
    p50, p99 = np.percentile(times, [50, 99]) * 1000
    return {"p50": round(float(p50), 3), "p99": round(float(p99), 3)}


def size_mib(model: str | Path) -> float:
    """MiB of all files of an exported model."""
    return round(sum(path.stat().st_size for path in Path(model).rglob("*") if path.is_file()) / 2**20, 3)


def over_limits(report: Mapping[str, Any], plan: ProbePlan) -> list[str]:
    """A message for each limit of the recipe that is exceeded."""
    found = []
    p99 = report["latency_ms"]["p99"]
    if plan.max_latency_ms is not None and p99 > plan.max_latency_ms:
        found.append(
            f"ranking {plan.page:,} candidates took {p99:g} ms (99th percentile), more than serving.max_latency_ms: "
            f"{plan.max_latency_ms:g}. Raise the limit, or make the network smaller"
        )
    if plan.max_size_mib is not None and report["size_mib"] > plan.max_size_mib:
        found.append(
            f"the model's files have {report['size_mib']:g} MiB, more than serving.max_size_mib: {plan.max_size_mib:g}. "
            "Raise the limit, or give features smaller vocabularies or dims"
        )
    return found
