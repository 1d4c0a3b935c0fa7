"""Nights that are killed at random moments and started again, beside nights that are not: the same examples, ids and weights.

python -m benchmarks.killed_nights --nights 4 --kills 40

Each night runs until it ends by itself; while kills are left, it is killed with SIGKILL after a random time and started again. Then every night's
examples, id ledger and state are compared with those of the nights that nothing has killed.
"""

from __future__ import annotations

import datetime
import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from benchmarks.session import WORK, Work, say
from benchmarks.thirty_days import FIRST, HISTORY, RECIPE, ROOT

SMALL = (
    "model.options.mmoe={experts: 2, units: [16], tower_units: []}",
    "training.jit_compile=false",
    "training.checkpoint_minutes=0.02",
    *(f"tasks.{task}.gates=none" for task in ("click", "cart", "order")),
)
"""A small network without compilation, and no gates: the nights are to be pushed, whatever they learn."""

LATEST = 0.7
"""Latest kill, in times of the night's duration: what was finished before is not repeated, so a later one would seldom come."""


def main(
    nights: Annotated[int, typer.Option(min=1, help="Number of nights.")] = 10,
    kills: Annotated[int, typer.Option(min=1, help="Number of kills in all.")] = 200,
    impressions: Annotated[int, typer.Option(min=500, help="Mean number of impressions of a day.")] = 2000,
    seed: Annotated[int, typer.Option(help="Seed of the simulation and of the moments.")] = 7,
    work: Work = WORK,
) -> None:
    """Run the nights twice, once with kills, and compare what they made."""
    folder = (work / f"killed_nights-{nights}-{impressions}-{seed}").resolve()
    days = [FIRST + datetime.timedelta(days=HISTORY + number) for number in range(nights)]
    if not (folder / "logs" / "dirt.json").is_file():
        command = ["simulate", RECIPE, "--days", str(HISTORY + nights), "--impressions", str(impressions)]
        command += ["--seed", str(seed), "--births", "0.02", "--drift", "0.1", "--out", str(folder / "logs")]
        subprocess.run([sys.executable, "-m", "pipeline.cli", *command], cwd=ROOT, check=True)
    roots = {name: folder / f"{name}-{os.getpid()}" for name in ("whole", "killed")}
    rng, spent, seconds = random.Random(seed), 0, []
    for day in days:
        seconds.append(_run(folder, roots["whole"], day, None))
        say(f"{day}: {seconds[-1]:.0f} s without a kill")
    for number, day in enumerate(days):
        most = -(-(kills - spent) // (nights - number))
        for _ in range(most):
            if _run(folder, roots["killed"], day, rng.uniform(0.5, LATEST * seconds[number])) > 0:
                break  # it ended before its kill
            spent += 1
        _run(folder, roots["killed"], day, None)
        say(f"{day}: {spent} kills so far")
    whole, killed = (_made(roots[name]) for name in ("whole", "killed"))
    different = [day for day in whole if whole[day] != killed.get(day)]
    parts = {
        day: [part for part in whole[day] if whole[day][part] != killed.get(day, {}).get(part)] for day in different
    }
    say(
        f"{nights} nights, {spent} kills: "
        + (f"different: {parts}" if different else "the same examples, ids and states")
    )
    if different or set(whole) != set(killed) or len(whole) != nights:
        raise typer.Exit(1)


def _run(folder: Path, root: Path, day: datetime.date, kill_after: float | None) -> float:
    """Runs a night, and returns its seconds; kills it after some, and then returns 0.

    Raises:
        RuntimeError: the night failed.
    """
    command = ["run", RECIPE, "--root", str(root), "--data", str(folder / "logs"), "--day", str(day)]
    command += [part for one in SMALL for part in ("--set", one)]
    begun = time.monotonic()
    log = folder / "night.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "pipeline.cli", *command],
            cwd=ROOT,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code = process.wait(kill_after)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return 0.0
    if code:
        raise RuntimeError(f"{day}: exit code {code}, see {log}")
    return time.monotonic() - begun


def _made(root: Path) -> dict[str, dict[str, Any]]:
    """{day: digests of what the last run of the day made}."""
    from pipeline.lineage import read_run
    from pipeline.run_paths import run_paths_in
    from pipeline.run_records import read_records

    where = run_paths_in(root / "shop_days")
    found: dict[str, dict[str, Any]] = {}
    for record in read_records(where.home):
        day = record["resolved"]["logs"]["day"]
        if record["state"] == "finished" and day not in found:
            artifacts = read_run(where, record["id"]).artifacts
            state = artifacts["Trainer.model_run"] / "state"
            found[day] = {
                "examples": _digest(sorted(artifacts["EventLogs.examples"].glob("Split-*/*.parquet"))),
                "ids": _digest(sorted(state.glob("features/*"))),
                "state": _arrays(state / "variables.npz"),
            }
    return found


def _digest(files: list[Path]) -> str:
    found = hashlib.sha256()
    for file in files:
        found.update(file.name.encode() + file.read_bytes())
    return found.hexdigest()


def _arrays(file: Path) -> str:
    """Digest of the arrays: the archive itself has the time at which it was written."""
    found = hashlib.sha256()
    with np.load(file) as arrays:
        for name in sorted(arrays.files):
            found.update(name.encode() + arrays[name].tobytes())
    return found.hexdigest()


if __name__ == "__main__":
    typer.run(main)
