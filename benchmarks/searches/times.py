"""The times of one way to search a catalogue: python -m benchmarks.searches.times QUESTION.

The question: a key of WAYS as `way`, folder of the catalogue, k, and numbers of `singles` and of `batches` of `batch`
queries that count, after a few that warm up.
"""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.searches.catalogue import QUERIES
from benchmarks.searches.ways import WAYS
from benchmarks.stages.door import answer, clock

_WARM_UPS = 3


def run(question: Mapping[str, Any]) -> dict[str, Any]:
    """Times it.

    Returns:
        rows: queries one by one. seconds: of them all. singles, batches: seconds of each call. build_seconds: from the item
        table to the first answer. held_bytes: what that added to the process' resident memory. about: of the index.
        answers: the ids for the queries that came one by one.
    """
    folder, batch = Path(question["folder"]), int(question["batch"])
    users = np.load(folder / QUERIES)
    # The first half is what an index may be tuned with.
    asked = users[len(users) // 2 :]
    ready = WAYS[question["way"]](folder, int(question["k"]), Path(question["out"]))
    before = _resident()
    with clock() as building:
        search, about = ready()
        search(asked[:1])
    gc.collect()
    held = _resident() - before
    answers: list[list[int]] = []

    def times(calls: int, size: int, keep: bool) -> list[float]:
        found = []
        for number in range(-min(_WARM_UPS, calls), calls):
            queries = _some(asked, number * size, size)
            begin = time.perf_counter()
            ids = search(queries)
            if number >= 0:
                found.append(time.perf_counter() - begin)
                if keep:
                    answers.extend(ids.tolist())
        return found

    singles = times(int(question["singles"]), 1, True)
    batches = times(int(question["batches"]), batch, False)
    return {
        "rows": len(singles),
        "seconds": sum(singles),
        "singles": singles,
        "batches": batches,
        "build_seconds": building[0],
        "held_bytes": held,
        "about": about,
        "answers": answers,
    }


def _some(users: NDArray[np.float32], start: int, count: int) -> NDArray[np.float32]:
    return users[np.arange(start, start + count) % len(users)]


def _resident() -> int:
    """Bytes of this process in memory, without what is only mapped from files."""
    _, resident, shared, *_ = Path("/proc/self/statm").read_text().split()
    return (int(resident) - int(shared)) * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    answer(run)
