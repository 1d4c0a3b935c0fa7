"""What a night costs over a long history and over a short one: `split.train_last` of 30 days and of 3.

python -m benchmarks.night_history

Both recipes begin cold on the same day; then each night is run by both, in turn. A night reads what is new, so its time should not depend on
the history: the median over the long one is at most 1.3 times that over the short one. Results go to docs/night_history.json.
"""

from __future__ import annotations

import datetime
import json
import shutil
import statistics
import subprocess
import sys
from typing import Annotated, Any

import typer

from benchmarks.machine import machine
from benchmarks.session import WORK, Work, say
from benchmarks.thirty_days import DIALS, FIRST, RECIPE, ROOT, night

RESULTS = ROOT / "docs" / "night_history.json"
LONG, SHORT = 30, 3
LIMIT = 1.3


def main(
    nights: Annotated[int, typer.Option(min=1, help="Number of warm nights of each.")] = 5,
    impressions: Annotated[int, typer.Option(min=1000, help="Mean number of impressions of a day.")] = 10_000,
    seed: Annotated[int, typer.Option(help="Seed of the simulation.")] = 7,
    work: Work = WORK,
) -> None:
    """Run the nights over both histories, and write docs/night_history.json."""
    folder = (work / f"night_history-{nights}-{impressions}-{seed}").resolve()
    shutil.rmtree(folder, ignore_errors=True)
    command = ["simulate", RECIPE, "--days", str(LONG + 1 + nights), "--impressions", str(impressions)]
    command += ["--seed", str(seed), *DIALS, "--out", str(folder / "logs")]
    subprocess.run([sys.executable, "-m", "pipeline.cli", *command], cwd=ROOT, check=True)
    found: dict[int, list[dict[str, Any]]] = {LONG: [], SHORT: []}
    for number in range(nights + 1):
        day = FIRST + datetime.timedelta(days=LONG + number)
        for days, done in found.items():
            overrides = [
                f"split.train_last={days}d",
                *(f"tasks.{task}.gates=none" for task in ("click", "cart", "order")),
            ]
            done.append(night(folder, day, f"history-{days}", overrides))
            say(f"{day}, {days} days of history: {done[-1]['seconds']:.1f} s, {done[-1]['reason']}")
    seconds = {days: statistics.median(one["seconds"] for one in done[1:]) for days, done in found.items()}
    ratio = seconds[LONG] / seconds[SHORT]
    result = {
        "impressions": impressions,
        "nights": nights,
        "cores": machine()["cores"],
        "seconds": {str(days): [one["seconds"] for one in done] for days, done in found.items()},
        "train_rows": {str(days): [one.get("train_rows") for one in done] for days, done in found.items()},
        "median": {str(days): value for days, value in seconds.items()},
        "ratio": round(ratio, 3),
    }
    RESULTS.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    say(
        f"median of {nights} nights: {seconds[LONG]:.1f} s and {seconds[SHORT]:.1f} s, ratio {ratio:.3f}, at most {LIMIT}"
    )
    if ratio > LIMIT or any(one["exit_code"] for done in found.values() for one in done):
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
