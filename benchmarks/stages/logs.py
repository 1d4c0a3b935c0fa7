"""The wide logs as a subject: python -m benchmarks.stages.logs QUESTION, with `rows`, `seed` and `skew`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.stages.door import answer
from benchmarks.wide_logs import write


def run(question: Mapping[str, Any]) -> dict[str, Any]:
    """Writes them into `out`."""
    seconds = write(Path(question["out"]), question["rows"], question["seed"], question["skew"])
    return {"rows": question["rows"], "seconds": seconds}


if __name__ == "__main__":
    answer(run)
