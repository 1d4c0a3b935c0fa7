"""`gatewise run --days A..B`: the order of the days, what ends a backfill, its exit code, and what is passed on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from models.recipe.errors import InputError
from pipeline import cli
from pipeline.backfill import checked_days, days_between, run_days

RUN = """
import json, pathlib, sys
arguments = sys.argv[1:]
day, file = (arguments[arguments.index(name) + 1] for name in ("--day", "--json"))
with open("calls.jsonl", "a") as calls:
    calls.write(json.dumps(arguments[:arguments.index("--day")] + [day]) + "\\n")
code = json.loads(pathlib.Path("codes.json").read_text()).get(day, 0)
if code in (0, 2):
    pathlib.Path(file).write_text(json.dumps({"run": day}))
sys.exit(code)
"""


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    fields: dict[str, Any] = {
        "name": "shop",
        "logs": {
            "impressions": "view",
            "span": "1d",
            "streams": {
                name: {
                    "path": f"{name}-{{YYYY}}{{MM}}{{DD}}.csv",
                    "key": ["user"],
                    "time": {"column": "time", "unit": "s"},
                }
                for name in ("view", "click")
            },
        },
        "split": {"eval_last": "1d", "train_last": "2d"},
        "features": {"user": {"kind": "categorical"}},
        "tasks": {"click": {"kind": "binary", "outcome": "click", "window": "1d"}},
    }
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run.py").write_text(RUN)
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(fields))
    return tmp_path / "recipe.yaml"


def _run(recipe: Path, codes: dict[str, int], **options: Any) -> tuple[int, list[list[str]], list[str]]:
    Path("codes.json").write_text(json.dumps(codes))
    told: list[str] = []
    command = [sys.executable, "run.py"]
    given = {"overrides": (), "options": ("--root", "there"), "json_file": None} | options
    code = run_days(recipe, "2026-01-30..2026-02-02", tell=told.append, command=command, **given)
    calls = Path("calls.jsonl").read_text().splitlines() if Path("calls.jsonl").exists() else []
    return code, [json.loads(line) for line in calls], told


def test_days_between() -> None:
    assert days_between("2026-02-27..2026-03-01", 24) == ("2026-02-27", "2026-02-28", "2026-03-01")
    assert days_between("2026-02-28T23..2026-03-01T00", 1) == ("2026-02-28T23", "2026-03-01T00")
    assert days_between("2026-02-27..2026-02-27", 24) == ("2026-02-27",)


@pytest.mark.parametrize(
    "days", ["2026-02-27", "2026-02-28..2026-02-27", "2026-02-27..tomorrow", "2026-02-27..2026-02-28T05"]
)
def test_a_range_that_is_none_is_refused(days: str) -> None:
    with pytest.raises(typer.BadParameter, match="expected"):
        checked_days(days)


def test_each_day_runs_in_order_with_the_same_options(recipe: Path) -> None:
    code, calls, told = _run(recipe, {}, overrides=("training.seed=2",), json_file=Path("days.json"))
    days = ["2026-01-30", "2026-01-31", "2026-02-01", "2026-02-02"]
    assert code == 0
    assert calls == [[str(recipe), "--set", "training.seed=2", "--root", "there", day] for day in days]
    found = json.loads(Path("days.json").read_text())
    assert [(one["day"], one["exit_code"], one["outcome"], one["summary"]) for one in found] == [
        (day, 0, "done", {"run": day}) for day in days
    ]
    assert told[0] == "day 2026-01-30 (1 of 4)"


def test_a_refused_model_does_not_end_the_backfill(recipe: Path) -> None:
    code, calls, told = _run(recipe, {"2026-01-31": 2})
    assert (code, len(calls)) == (2, 4)
    assert any("2026-01-31  refused" in line for line in told)


def test_a_day_that_validation_refuses_does_not_end_the_backfill(recipe: Path, tmp_path: Path) -> None:
    """The run ends with the code of an error, and has recorded its night as refused."""
    from components.push.nights import Record, read_records
    from models.recipe.night import Cursor

    states = tmp_path / "states"
    other = Record(
        version=7, day="2026-01-30", start="cold", cold_day="2026-01-30", cursor=Cursor(until=1, as_of=2), pushed=False
    )
    (states / "7").mkdir(parents=True)
    (states / "7" / "night.json").write_text(other.model_dump_json())
    refused = other.model_copy(update={"version": 8, "day": "2026-01-31"}).model_dump_json()
    (tmp_path / "run.py").write_text(
        RUN.replace(
            "if code in",
            f"if day == '2026-01-31':\n    pathlib.Path({str(states)!r}, '8').mkdir()\n"
            f"    pathlib.Path({str(states)!r}, '8', 'night.json').write_text({refused!r})\nif code in",
        )
    )
    code, calls, told = _run(recipe, {"2026-01-31": 1, "2026-02-02": 1}, states=states)
    assert set(read_records(states)) == {7, 8}
    assert [call[-1] for call in calls] == ["2026-01-30", "2026-01-31", "2026-02-01", "2026-02-02"]
    assert code == 1 and any(line.startswith("2026-01-31  refused") for line in told)
    assert any(line.startswith("2026-02-02  input refused") for line in told)


@pytest.mark.parametrize(("end", "outcome"), [(1, "input refused"), (3, "crashed"), (143, "stopped")])
def test_an_error_ends_the_backfill(recipe: Path, end: int, outcome: str) -> None:
    code, calls, told = _run(recipe, {"2026-01-31": end}, json_file=Path("days.json"))
    assert (code, len(calls)) == (end, 2)
    assert json.loads(Path("days.json").read_text())[-1]["outcome"] == outcome
    assert told[-1].startswith("2 later days were not run.")


def test_days_of_another_length_and_a_recipe_without_days_are_refused(recipe: Path) -> None:
    with pytest.raises(InputError, match="needs hours"):
        _run(
            recipe,
            {},
            overrides=(
                "logs.span=1h",
                "logs.streams.view.path=v-{YYYY}{MM}{DD}{HH}",
                "logs.streams.click.path=c-{YYYY}{MM}{DD}{HH}",
            ),
        )
    fields = yaml.safe_load(recipe.read_text())
    fields["logs"].pop("span")
    for name, stream in fields["logs"]["streams"].items():
        stream["path"] = f"{name}.csv"
    fields["split"] = {"eval_last": "1d"}
    recipe.write_text(yaml.safe_dump(fields))
    with pytest.raises(InputError, match="has no `logs.span`"):
        _run(recipe, {})


def test_a_stopped_backfill_stops_its_run(recipe: Path) -> None:
    Path("run.py").write_text(
        "import pathlib, time, os\npathlib.Path('pid').write_text(str(os.getpid()))\ntime.sleep(600)"
    )
    script = (
        "import sys, pathlib; from pipeline.backfill import run_days; from pipeline.termination import sigterm_interrupts\n"
        "with sigterm_interrupts(): run_days(pathlib.Path('recipe.yaml'), '2026-01-30..2026-01-31', (), (), None, print, "
        "[sys.executable, 'run.py'])"
    )
    process = subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.DEVNULL)
    while not Path("pid").is_file() or not Path("pid").read_text():
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    assert process.wait() != 0
    with pytest.raises(ProcessLookupError):
        os.kill(int(Path("pid").read_text()), 0)


def test_day_and_days_together_are_refused(recipe: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        cli.main(["run", str(recipe), "--day", "2026-01-30", "--days", "2026-01-30..2026-01-31"])
    assert refused.value.code == 1
    assert "give one of them" in capsys.readouterr().err
