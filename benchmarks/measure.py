"""Measures subjects in fresh processes. A subject reports its seconds, and the system reports its peak memory.

A subject is a module. Its only argument is a question as JSON, with `out`, an empty folder. Its last output line is an
answer as JSON, with `rows` and `seconds` of the work alone, without imports and start-up.
This process imports no large package, because the peak of a child is never below the memory of its parent.
"""

from __future__ import annotations

import dataclasses
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
_TAIL = 3000


@dataclasses.dataclass(frozen=True, kw_only=True)
class Subject:
    """A subject to time.

    Attributes:
        name: in the table.
        module: such as `benchmarks.stages.statistics`.
        question: without `out`.
        python: of the environment that it runs in.
        environment: variables to set.
    """

    name: str
    module: str
    question: Mapping[str, Any]
    python: Path | str = sys.executable
    environment: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Measured:
    """A measurement. `seconds`: seconds of each run. `peak_bytes`: the largest resident size of any process in any run."""

    name: str
    rows: int
    seconds: tuple[float, ...]
    peak_bytes: int
    answer: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def median(self) -> float:
        """Seconds."""
        return statistics.median(self.seconds)

    @property
    def rate(self) -> float:
        """Rows a second."""
        return self.rows / max(self.median, 1e-9)


def measure(
    subject: Subject, work: Path, runs: int = 5, warm_ups: int = 1, say: Callable[[str], object] | None = None
) -> Measured:
    """Runs the subject, each time in a fresh process and with a new folder, which is removed afterwards.

    Args:
        subject: what is timed.
        work: folder for the folders.
        runs: number of runs that count. Their median is reported.
        warm_ups: number of runs before them, which load files and byte code into memory and do not count.
        say: called with a message after each run.

    Raises:
        RuntimeError: a run failed, or the runs had different numbers of rows.
    """
    if runs < 1:
        raise ValueError(f"expected at least 1 run, received {runs}")
    work.mkdir(parents=True, exist_ok=True)
    answers, peaks = [], []
    for number in range(warm_ups + runs):
        with tempfile.TemporaryDirectory(dir=work, prefix="run-") as out:
            answer, peak = fresh(subject, out)
        if say is not None:
            what = f"run {number - warm_ups + 1} of {runs}" if number >= warm_ups else "warm-up"
            say(f"{subject.name}, {what}: {answer['rows']:,} rows in {answer['seconds']:.2f} s")
        if number >= warm_ups:
            answers.append(answer)
            peaks.append(peak)
    rows = {int(answer["rows"]) for answer in answers}
    if len(rows) != 1:
        raise RuntimeError(f"{subject.name}: the runs had different numbers of rows: {sorted(rows)}")
    seconds = tuple(float(answer["seconds"]) for answer in answers)
    return Measured(name=subject.name, rows=rows.pop(), seconds=seconds, peak_bytes=max(peaks), answer=answers[-1])


def fresh(subject: Subject, out: Path | str) -> tuple[dict[str, Any], int]:
    """One run in a fresh process with the folder `out`: its answer, and the peak in bytes.

    Raises:
        RuntimeError: the run failed. The message has the end of its output.
    """
    question = json.dumps({**subject.question, "out": str(out)})
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3", **subject.environment}
    with tempfile.TemporaryFile("w+") as said, tempfile.TemporaryFile("w+") as complained:
        process = subprocess.Popen(
            [str(subject.python), "-m", subject.module, question],
            cwd=ROOT,
            env=environment,
            stdout=said,
            stderr=complained,
        )
        try:
            # Of this child and those that it waited for; `getrusage` would give the largest of all children so far.
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            raise
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        lines = said.read().strip().splitlines()
        if process.returncode != 0 or not lines:
            complained.seek(0)
            raise RuntimeError(f"{subject.module} ended with {process.returncode}:\n{complained.read()[-_TAIL:]}")
    answer: dict[str, Any] = json.loads(lines[-1])
    return answer, usage.ru_maxrss * 1024
