"""Runs the methods of a comparison, each in a process of its own, some at a time."""

from __future__ import annotations

import concurrent.futures
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from models.files.whole_file import write_whole
from models.recipe.errors import GatewiseError, InputError

ROOT = Path(__file__).parents[2]
"""Parent folder of the package `pipeline`."""

LAST = 2000
"""Number of last characters of a process's log in a message."""


class Job:
    """The training of one method. `result`: the file that it writes at its end; if it is there, nothing is left to do."""

    def __init__(self, name: str, spec: Mapping[str, Any], result: Path) -> None:
        self.name, self.result = name, result
        self.spec = {**spec, "result": str(result)}


class MethodError(GatewiseError):
    """A method refused its options or data, or its process ended."""


def run_jobs(jobs: Sequence[Job], count: int, told: Callable[[str, Mapping[str, Any]], None]) -> dict[str, str]:
    """Runs the jobs that have no result.

    Every process has its share of the cores, which changes no result.

    Args:
        jobs: the methods.
        count: processes at a time.
        told: called with the method's name and the facts of each finished training, never twice at a time.

    Returns:
        Method -> message, of those that failed. The others have a result.
    """
    threads = max(1, len(os.sched_getaffinity(0)) // count)
    lock, running, failed = threading.Lock(), set[subprocess.Popen[str]](), dict[str, str]()

    def run(job: Job) -> None:
        try:
            _run(job, threads, running, lock, told)
        except MethodError as error:
            failed[job.name] = str(error)

    waiting = [job for job in jobs if not job.result.is_file()]
    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        futures = [pool.submit(run, job) for job in waiting]
        try:
            for future in concurrent.futures.as_completed(futures):
                future.result()
        except BaseException:
            for future in futures:
                future.cancel()
            with lock:
                for process in running:
                    process.kill()
            raise
    return {job.name: failed[job.name] for job in jobs if job.name in failed}


def _run(
    job: Job,
    threads: int,
    running: set[subprocess.Popen[str]],
    lock: threading.Lock,
    told: Callable[[str, Mapping[str, Any]], None],
) -> None:
    spec, log = job.result.with_suffix(".spec.json"), job.result.with_suffix(".log")
    write_whole(spec, json.dumps(job.spec, indent=1))
    path = os.pathsep.join(part for part in (str(ROOT), os.environ.get("PYTHONPATH")) if part)
    own = {name: str(threads) for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS")}
    environment = {**os.environ, "PYTHONPATH": path, "TF_CPP_MIN_LOG_LEVEL": "2", **own}
    command = [sys.executable, "-m", "pipeline.comparing.worker", str(spec), str(os.getpid())]
    refused = None
    with log.open("wb") as written:
        try:
            process = subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=written,
                text=True,
                encoding="utf-8",
            )
        except OSError as error:
            raise InputError(f"compare: cannot start a process: {error}.") from None
        with lock:
            running.add(process)
        try:
            for line in process.stdout or ():
                facts = json.loads(line)
                refused = facts.get("refused", refused)
                if "what" in facts:
                    with lock:
                        told(job.name, facts)
            code = process.wait()
        finally:
            if process.stdout is not None:
                process.stdout.close()
            process.kill()  # nothing, if it has ended
            process.wait()
            with lock:
                running.discard(process)
    if code or not job.result.is_file():
        last = log.read_text(encoding="utf-8", errors="replace").strip()[-LAST:]
        raise MethodError(refused or f"its process ended with code {code}. Its last output, from {log}:\n{last}")
    spec.unlink()
