"""From the arguments of a function to the command, and from its end to the run."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import pytest

import gatewise
from gatewise import comparisons, running
from tests.doubles.comparison import comparison as compare_json
from tests.doubles.run_records import A, record, write

ROOT = Path(__file__).resolve().parents[2]
SHOP = ROOT / "recipes" / "shop.yaml"


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[list[str]]:
    """The commands, which leave a run's record and summary or a comparison."""
    commands: list[list[str]] = []

    def call(arguments: list[str], accepted: tuple[int, ...], quiet: bool, results: str | None = None) -> str:
        commands.append(arguments)
        if arguments[0] == "compare":
            folder = tmp_path / "compared"
            folder.mkdir()
            (folder / "compare.json").write_text(json.dumps(compare_json()))
            return f"table\n\nreport: {folder}/compare.html\nresult: {folder}/compare.json\n"
        assert accepted == (0, 2)
        write(tmp_path / "runs", record(A))
        Path(arguments[arguments.index("--json") + 1]).write_text(json.dumps({"run": A}))
        return ""

    monkeypatch.setattr(running, "call", call)
    monkeypatch.setattr(comparisons, "call", call)
    monkeypatch.chdir(tmp_path)
    return commands


def test_a_run_is_the_command(called: list[list[str]], tmp_path: Path) -> None:
    made = gatewise.run(SHOP, set={"training.seed": 2}, data="logs", push=False)
    assert (made.id, made.outcome) == (A, "pushed")
    [command] = called
    assert command[:-1] == [
        "run", str(SHOP), "--root", str(tmp_path / "runs"), "--set", "training.seed=2", "--data", str(tmp_path / "logs"),
        "--no-push", "--json",
    ]  # fmt: skip
    gatewise.run(gatewise.Recipe.load(SHOP))
    assert "--no-push" not in called[1] and "--set" not in called[1]


@pytest.mark.parametrize("day", ["2026-11-28", datetime.date(2026, 11, 28)])
def test_a_day(day: Any, called: list[list[str]]) -> None:
    gatewise.run(SHOP, day=day)
    assert called[0][called[0].index("--day") + 1] == "2026-11-28"


def test_no_day(called: list[list[str]]) -> None:
    with pytest.raises(gatewise.InputError, match="day: .*received 'Friday'"):
        gatewise.run(SHOP, day="Friday")
    assert not called


def test_a_recipe_with_errors_starts_nothing(called: list[list[str]]) -> None:
    with pytest.raises(gatewise.InputError, match="unknown architecture 'pel'"):
        gatewise.run(SHOP, set={"model.architecture": "pel"})
    assert not called


def test_a_comparison_is_the_command(called: list[list[str]], tmp_path: Path) -> None:
    made = gatewise.compare(SHOP, "runs", architectures=["mmoe", "ple"], balancers=["famo"], seeds=3, jobs=1)
    assert made.folder == tmp_path / "compared" and made.page.name == "compare.html"
    assert called[0] == [
        "compare", str(SHOP), "--root", str(tmp_path / "runs"), "--architectures", "mmoe,ple", "--balancers", "famo",
        "--trials", "0", "--seeds", "3", "--budget", "parameters", "--jobs", "1",
    ]  # fmt: skip


def test_the_options_of_the_functions_are_those_of_the_commands() -> None:
    import typer.main

    from pipeline.cli import app

    known = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    wanted = {
        "run": {"--root", "--set", "--data", "--day", "--no-push", "--json"},
        "compare": {
            "--root", "--set", "--data", "--day", "--architectures", "--balancers", "--backbones", "--trials", "--seeds",
            "--budget", "--jobs",
        },
    }  # fmt: skip
    for name, options in wanted.items():
        assert options <= {option for parameter in known[name].params for option in parameter.opts}


def test_the_table_and_the_verdict_of_a_comparison(tmp_path: Path) -> None:
    from pipeline.comparing.answer import answer

    content = {**compare_json(tasks=2), "failed": {"stem": "NaN"}}
    (tmp_path / "compare.json").write_text(json.dumps(content))
    made = gatewise.Comparison(tmp_path)
    table = made.table
    assert list(table.columns) == [
        "method", "chosen", "task", "metric", "mean", "gain", "lower", "upper", "verdict", "parameters",
    ]  # fmt: skip
    assert len(table) == len(content["methods"]) * len(content["tasks"])
    [ple] = [one for one in content["methods"] if one["name"] == "ple"]
    row = table.query("method == 'ple' and task == 'like'").iloc[0]
    assert row["mean"] == ple["metrics"]["like"]["auc"]["mean"] and row["metric"] == "auc"
    gain = ple["against"]["single_task"]["like"]
    assert (row["gain"], row["lower"], row["verdict"]) == (gain["gain"], gain["lower"], gain["verdict"])
    twins = table.query("method == 'single_task'")
    assert twins["gain"].isna().all() and set(twins["verdict"]) == {""}
    assert set(table.query("chosen")["method"]) == {made.chosen} == {content["chosen"]["method"]}
    assert made.verdict.startswith(answer(content).headline) and made.failed == content["failed"]


def test_no_comparison(tmp_path: Path) -> None:
    with pytest.raises(gatewise.InputError, match="expected the folder of a comparison"):
        gatewise.Comparison(tmp_path)
