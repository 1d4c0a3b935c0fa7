"""The option `--day`: the recipe on its day, what `validate` says, and what a run records."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from models.recipe.errors import InputError
from models.recipe.file import load_recipe
from pipeline import cli
from pipeline.day_option import load_on_day

PROJECT = Path(cli.__file__).resolve().parents[1]


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    """A recipe of two streams in daily folders, with files of the first three days of 2026."""
    stream = {"key": ["user", "item"], "time": {"column": "time", "unit": "s"}}
    streams = {name: {"path": f"{name}-{{YYYY}}{{MM}}{{DD}}.csv", **stream} for name in ("view", "click")}
    fields: dict[str, Any] = {
        "name": "shop",
        "logs": {"impressions": "view", "span": "1d", "streams": streams},
        "split": {"eval_last": "1d", "train_last": "2d"},
        "features": {"user": {"kind": "categorical"}},
        "tasks": {"click": {"kind": "binary", "outcome": "click", "window": "1d"}},
    }
    file = tmp_path / "recipe.yaml"
    file.write_text(yaml.safe_dump(fields))
    for name in streams:
        for day in (1, 2, 3):
            (tmp_path / f"{name}-2026010{day}.csv").write_text("user,item,time\n")
    return file


def test_the_day_of_the_option_of_the_recipe_and_of_the_files(recipe: Path) -> None:
    def day(option: str | None, *overrides: str, look_up: bool = True) -> tuple[str, list[str]]:
        found, given = load_on_day(recipe, overrides, None, option, look_up=look_up)
        assert found.logs is not None
        assert found == load_recipe(recipe, given)  # the record's overrides give the run's recipe
        return found.logs.day, given

    assert day("2026-01-02") == ("2026-01-02", ["logs.day=2026-01-02"])
    assert day(None, "logs.day=2026-01-01") == ("2026-01-01", ["logs.day=2026-01-01"])
    assert day("2026-01-02", "logs.day=2026-01-01")[0] == "2026-01-02"
    assert day(None) == ("2026-01-03", ["logs.day=2026-01-03"])
    assert day(None, look_up=False) == ("latest", [])
    (recipe.parent / "click-20260103.csv").unlink()
    assert day(None)[0] == "2026-01-02"


def test_validate_says_which_days(recipe: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def said(*options: str) -> str:
        with pytest.raises(SystemExit) as end:
            cli.main(["validate", str(recipe), *options])
        assert not end.value.code
        return capsys.readouterr().out.splitlines()[1]

    assert said("--day", "2026-03-01") == "days: 2026-02-27 to 2026-03-01: 2d to train, then 1d to evaluate"
    assert said() == "days: 2d to train, then 1d to evaluate, up to the newest complete day (choose one with --day)"
    later = ("--day", "2026-03-01", "--set", "logs.as_of=2026-03-09T00:00:00Z")
    assert (
        said(*later) == "days: 2026-02-27 to 2026-03-01: 2d to train, then 1d to evaluate; click to 2026-03-02 if there"
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--day", "2026-02-30"], "expected a day of 1990-2100 in UTC, such as 2026-11-28"),
        (["--day", "2026-02-28T05"], "`span: 1d` needs a day, such as 2026-11-28; received 2026-02-28T05"),
        (
            ["--set", "logs.span=null", "--set", "split.train_last=null"],
            "stands for a part of a date and needs `logs.span`",
        ),
    ],
)
def test_days_that_are_refused(
    recipe: Path, arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(["run", str(recipe), *arguments])
    assert end.value.code == 1 and words in " ".join(capsys.readouterr().err.replace("│", "").split())


def test_a_recipe_without_spans_has_no_day() -> None:
    with pytest.raises(InputError, match=r"--day 2026-01-01: .*shop.yaml has no `logs.span`, so a run reads all files"):
        load_on_day(PROJECT / "recipes" / "shop.yaml", [], None, "2026-01-01")


def test_a_run_stops_at_a_missing_day_and_records_its_day(
    recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "click-20260102.csv").unlink()
    with pytest.raises(SystemExit) as end:
        cli.main(["run", str(recipe), "--root", str(tmp_path / "runs")])
    said = capsys.readouterr().err
    assert end.value.code == 1 and "days: 2026-01-01 to 2026-01-03: 2d to train, then 1d to evaluate" in said
    assert "stream 'click' has no file of 2026-01-02; the run of 2026-01-03 reads all spans from 2026-01-01 on" in said
    (record,) = (tmp_path / "runs" / "shop" / "logs").glob("*.json")
    values = json.loads(record.read_text())
    assert (values["state"], values["overrides"]) == ("failed", ["logs.day=2026-01-03"])
    assert values["resolved"]["logs"]["day"] == "2026-01-03"
