"""Thirty nights of the simulated shop without a hand: a run a night from the model of the night before, beside cold starts.

python -m benchmarks.thirty_days

Items are born and die, tastes drift, the week has its rhythm. One day is poisoned (its clicks are flipped), one stream of one day arrives a day
late, and one day arrives by half and is whole a day later. Every `--cold-every`th night is also trained cold, on the rolling window. Results
go to docs/thirty_days.json and docs/thirty_days.md. A benchmark that was stopped goes on where it was.
"""

from __future__ import annotations

import dataclasses
import datetime
import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import polars as pl
import typer

from benchmarks.machine import machine
from benchmarks.session import WORK, Work, say
from benchmarks.thirty_days_page import page
from models.files.whole_file import write_whole

ROOT = Path(__file__).parents[1]
PAGE, RESULTS = ROOT / "docs" / "thirty_days.md", ROOT / "docs" / "thirty_days.json"
RECIPE = "recipes/shop_days.yaml"
FIRST = datetime.date(2026, 1, 1)
HISTORY = 7
"""Days before the first night: `split.train_last` of the recipe."""
DIALS = ("--births", "0.02", "--drift", "0.1", "--rhythm", "1")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Scenario:
    """What goes wrong, as numbers of nights from 0. None: nothing of the kind."""

    poisoned: int | None
    late: int | None
    half: int | None

    @classmethod
    def of(cls, nights: int) -> Scenario:
        """The faults of a benchmark of so many nights: a third, a half and two thirds of the way."""
        return cls(late=nights // 3, poisoned=nights // 2, half=2 * nights // 3)


def main(
    nights: Annotated[int, typer.Option(min=3, help="Number of nights.")] = 30,
    impressions: Annotated[int, typer.Option(min=1000, help="Mean number of impressions of a day.")] = 20_000,
    seed: Annotated[int, typer.Option(help="Seed of the simulation.")] = 7,
    cold_every: Annotated[int, typer.Option(min=1, help="Every so many nights, also train cold.")] = 5,
    remark: Annotated[str, typer.Option(help="A sentence for the page, such as what else ran on the machine.")] = "",
    work: Work = WORK,
) -> None:
    """Run the nights, and write docs/thirty_days.json and docs/thirty_days.md."""
    folder = (work / f"thirty_days-{nights}-{impressions}-{seed}").resolve()
    scenario = Scenario.of(nights)
    poisoned = () if scenario.poisoned is None else ("--poison", str(_day(scenario.poisoned)))
    simulate = ["gatewise", "simulate", RECIPE, "--days", str(HISTORY + nights), "--impressions", str(impressions)]
    simulate += ["--seed", str(seed), *DIALS, *poisoned]
    if not (folder / "source" / "dirt.json").is_file():
        _gatewise([*simulate[1:], "--out", str(folder / "source")])
    seen = folder / "nights.json"
    done: list[dict[str, Any]] = json.loads(seen.read_text(encoding="utf-8")) if seen.is_file() else []
    for number in range(len(done), nights):
        deliver(folder / "source", folder / "logs", number, scenario)
        day = _day(number)
        found = {"day": str(day), **night(folder, day)}
        if number % cold_every == cold_every - 1 and found["exit_code"] == 0:
            left_out = json.dumps([str(one) for one in _poisoned_before(number, scenario)])
            overrides = ["training.start=cold", f"logs.left_out={left_out}"]
            found["cold"] = night(folder, day, "cold", overrides, push=False)
        say(f"{day}: exit code {found['exit_code']}, {found['seconds']:.0f} s, {found['reason']}")
        done.append(found)
        write_whole(seen, json.dumps(done, indent=1))
        result = {
            "commands": [
                shlex.join(simulate),
                f"gatewise run {RECIPE} --day DAY",
                f"gatewise run {RECIPE} --day DAY --set training.start=cold --no-push",
            ],
            "nights": done,
            "faults": {name: None if value is None else str(_day(value)) for name, value in vars(scenario).items()},
            "impressions": impressions,
            "remark": remark,
            "cores": machine()["cores"],
        }
        RESULTS.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
        PAGE.write_text(page(result), encoding="utf-8")


def deliver(source: Path, logs: Path, night: int, scenario: Scenario) -> None:
    """Copies what has arrived by a night into `logs`: the days of the history and all days up to that of the night.

    The clicks of the late day arrive with the next night, and so does the second half of the half day's impressions.
    """
    for number in range(-HISTORY, night + 1):
        name = f"dt={_day(number)}"
        for folder in sorted(source.glob(f"*/{name}")):
            stream, target = folder.parent.name, logs / folder.parent.name / name
            if number == night == scenario.late and stream == "clicks":
                continue
            half = number == night == scenario.half and stream == "impressions"
            if not target.is_dir():
                shutil.copytree(folder, target)
                if half:
                    for file in sorted(target.glob("*.parquet")):
                        rows = pl.read_parquet(file)
                        rows.head(rows.height // 3).write_parquet(file)
            elif number == scenario.half and not half and stream == "impressions":
                for file in sorted(folder.glob("*.parquet")):
                    if file.stat().st_size != (target / file.name).stat().st_size:
                        shutil.copyfile(file, target / file.name)


def night(
    folder: Path, day: datetime.date, name: str = "runs", overrides: Sequence[str] = (), push: bool = True
) -> dict[str, Any]:
    """Runs a night over the logs in `folder` and measures it.

    Args:
        folder: has the folder `logs`.
        day: the day.
        name: folder of the runs, below `folder`.
        overrides: values of `--set`.
        push: whether the night pushes its model.

    Returns:
        {"exit_code", "reason": in words, "seconds": wall time, "peak_bytes": peak memory of the process, "visits": train examples
        times passes, "rows": {split: examples}, "start": "cold" or what the training says of its start, "auc": {task: value}, "gap":
        {task: log loss above that of the truth}}
    """
    root, summary = folder / name, folder / "summary.json"
    summary.unlink(missing_ok=True)
    command = ["run", RECIPE, "--root", str(root), "--data", str(folder / "logs"), "--day", str(day)]
    command += ["--json", str(summary)] + [part for one in overrides for part in ("--set", one)]
    command += [] if push else ["--no-push"]
    log = folder / f"{name}-{day}.log"
    begun = time.monotonic()
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "pipeline.cli", *command], cwd=ROOT, stdout=out, stderr=subprocess.STDOUT
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - begun
    found = json.loads(summary.read_text(encoding="utf-8")) if summary.is_file() else None
    measured: dict[str, Any] = {
        "exit_code": process.returncode,
        "reason": _reason(process.returncode, found, log).replace(f"{folder}/", ""),
        "seconds": round(seconds, 2),
        "peak_bytes": usage.ru_maxrss * 1024,
    }
    return measured if found is None else {**measured, **_results(root, found)}


def _poisoned_before(night: int, scenario: Scenario) -> list[datetime.date]:
    """The poisoned day, if the warm nights have refused it before this night and therefore leave it out."""
    return [_day(scenario.poisoned)] if scenario.poisoned is not None and night > scenario.poisoned else []


def _results(root: Path, summary: dict[str, Any]) -> dict[str, Any]:
    record = json.loads((root / "shop_days" / "logs" / f"{summary['run']}.json").read_text(encoding="utf-8"))
    history: dict[str, Any] = {}
    if record.get("training"):
        history = json.loads((Path(record["training"]) / "history.json").read_text(encoding="utf-8"))
    passes = history["epochs"][-1]["epoch"] if history.get("epochs") else 0
    rows = history.get("trained_rows", history.get("rows", 0))
    return {
        "visits": round(rows * passes),
        "train_rows": rows,
        "start": {name: value for name, value in (history.get("start") or {}).items() if name != "from"},
        "auc": {task: values.get("auc") for task, values in summary["metrics"].items()},
        "gap": {task: values.get("log_loss_gap") for task, values in (summary["truth"] or {}).items()},
        "auc_gap": {task: values.get("auc_gap") for task, values in (summary["truth"] or {}).items()},
        "stages": {stage["name"]: stage["seconds"] for stage in summary["stages"]},
    }


def _reason(code: int, summary: dict[str, Any] | None, log: Path) -> str:
    """What a night says of its end."""
    if code == 0:
        return "pushed"
    if summary is not None and summary["failed_gates"]:
        return "refused: " + "; ".join(summary["failed_gates"])
    lines = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if "gatewise:" in line]
    return lines[-1].partition("gatewise:")[2].strip() if lines else f"exit code {code}, see {log.name}"


def _day(night: int) -> datetime.date:
    """The day of a night from 0; the days of the history are below 0."""
    return FIRST + datetime.timedelta(days=HISTORY + night)


def _gatewise(arguments: Sequence[str]) -> None:
    subprocess.run([sys.executable, "-m", "pipeline.cli", *arguments], cwd=ROOT, check=True)


if __name__ == "__main__":
    typer.run(main)
