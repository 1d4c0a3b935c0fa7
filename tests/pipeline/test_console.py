"""What a person sees of a run."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from models.recipe.file import load_recipe
from pipeline.console import RunConsole
from pipeline.run_paths import run_paths_in
from pipeline.screen import Screen, choose

ROOT = Path(__file__).resolve().parents[2]


def test_folders_are_no_markup(tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: Any) -> None:
    monkeypatch.setattr("warnings.simplefilter", lambda action, *more: None)
    folder = tmp_path / "[bold]" / "[" / "x]"
    with RunConsole(load_recipe(ROOT / "recipes" / "shop.yaml", data=folder), folder):
        pass
    said = capfd.readouterr().err
    assert f"data in {folder}; log in {folder}/" in said


def _summary(**changed: Any) -> dict[str, Any]:
    nothing = {
        "stages": [],
        "accounts": {},
        "retrieval": None,
        "all_cached": False,
        "failed_gates": [],
        "truth": {},
        "warnings": [],
    }
    about = {"mean": 0.1, "metrics": {"auc": 0.5, "log_loss": 0.3}, "by": "log_loss", "model": 0.4, "beaten": False}
    value = {"mean": 9.0, "metrics": {"rmse": 4.5, "mae": 3.5}, "by": "rmse", "model": 2.25, "beaten": True}
    return {
        **nothing,
        "metrics": {"click": {"auc": 0.52}, "value": {"mae": 2.5}},
        "constant": {"click": about, "value": value},
        "ungated": ["click"],
        **dict.fromkeys(("pushed", "serving", "retrieval_serving", "blessed")),
        **changed,
    }


def _shown(summary: dict[str, Any], tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> str:
    console = RunConsole(load_recipe(ROOT / "recipes" / "shop.yaml", data=tmp_path), tmp_path)
    console.show(summary, run_paths_in(tmp_path))
    return capfd.readouterr().out


def test_the_constant_stands_beside_the_model(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Also where the task reports another metric, and of each task what is known."""
    said = _shown(_summary(), tmp_path, capfd)
    cells = [[cell.strip() for cell in line.split("│")[1:-1]] for line in said.splitlines() if line.startswith("│")]
    assert ["log_loss", "0.4000", "-"] in cells and ["log_loss of the constant", "0.3000", "-"] in cells
    assert ["rmse", "-", "2.2500"] in cells and ["rmse of the constant", "-", "4.5000"] in cells
    assert ["auc of the constant", "0.5000", "-"] in cells
    assert ["better than the constant", "NO", "yes"] in cells
    assert (
        "no better than the constant (the task's mean label in the train split): click. Try: check the task's labels"
        in said
    )
    assert "tasks without gates (gates: none): click\n" in said


def test_an_experiment_says_how_to_push_it(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    said = _shown(_summary(blessed=True, no_push=True), tmp_path, capfd)
    assert "blessed; nothing was pushed (--no-push). To push this model, run the same command without --no-push" in said
    assert "not blessed; nothing was pushed" in _shown(_summary(blessed=False, no_push=True), tmp_path, capfd)


def test_counts_are_whole_and_metrics_are_not(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    metrics = {"click": {"auc": None, "example_count": 0}, "value": {"rmse": 3.0, "example_count": 2400}}
    said = _shown(_summary(metrics=metrics, constant={}, ungated=[]), tmp_path, capfd)
    cells = [[cell.strip() for cell in line.split("│")[1:-1]] for line in said.splitlines() if line.startswith("│")]
    assert ["example_count", "0", "2,400"] in cells
    assert ["auc", "-", "-"] in cells and ["rmse", "-", "3.0000"] in cells


def test_of_an_older_run_no_constant_is_known(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    said = _shown(_summary(constant={}, ungated=[]), tmp_path, capfd)
    assert "constant" not in said and "gates: none" not in said


def test_the_interval_stands_beside_the_main_metric(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Beside the first metric of each task, if it has one."""
    bounds = {"lower": 0.5, "upper": 0.5462, "standard_error": 0.0116}
    intervals = {"click": {"auc": bounds, "pr_auc": bounds}, "value": {"mae": {"why": "no variance"}}}
    metrics = {"click": {"auc": 0.52, "pr_auc": 0.3}, "value": {"mae": 2.5}}
    said = _shown(_summary(metrics=metrics, intervals=intervals), tmp_path, capfd)
    cells = [[cell.strip() for cell in line.split("│")[1:-1]] for line in said.splitlines() if line.startswith("│")]
    assert ["auc", "0.5200 ± 0.0231", "-"] in cells and ["pr_auc", "0.3000", "-"] in cells
    assert ["mae", "-", "2.5000"] in cells
    assert "(± half of the 95 % interval)" in said


def _retrieval(**changed: Any) -> dict[str, Any]:
    recalls = {"recall@10": 0.1, "weighted_recall@10": 0.2, "mrr": 0.3}
    return {"methods": {"two_tower": recalls}, "eval_queries": 702, "items": 833, "unanswerable": None, **changed}


def test_the_retrieval_table_leads_with_the_truth(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Below it stands what each recall asks."""
    methods = {
        "two_tower": {"true_recall@10": 0.5, **_retrieval()["methods"]["two_tower"]},
        "popular": {"true_recall@10": 0.7},
    }
    differences = {"true_recall@10": {"popular": {"lower": -0.25, "upper": -0.15}}}
    retrieval = _retrieval(methods=methods, with_truth=575, differences=differences)
    said = _shown(_summary(retrieval=retrieval), tmp_path, capfd)
    words = [
        "702 eval queries over 833 items",
        "575 of them with known best",
        "│ true_recall@10",
        "│ recall@10",
        "│ weighted_recall@10",
        "│ mrr",
        "true_recall@k: share of the truly best k items",
        "true_recall@10: two_tower is 0.2000 ± 0.0500 below the best other method (popular)",
        "recall@k: share of what the user chose; the user could choose only what was shown",
        "weighted_recall@k: recall in which a chosen item counts 1 / its share of the impressions",
    ]
    places = [" ".join(said.split()).index(word) for word in words]
    assert places == sorted(places)


def test_without_a_truth_the_weighted_recall_stands_beside_the_plain_one(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    said = _shown(_summary(retrieval=_retrieval()), tmp_path, capfd)
    assert "true_recall" not in said and "known best items" not in said
    assert "weighted_recall@10│0.2000" in said.replace(" ", "") and "recall@k: share of what the user chose" in said


def test_the_references_stand_beside_the_model(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Each task by its own metric; the task that a linear model does as well is named with what to try."""
    click = {"metric": "auc", "loss": 0.01, "lower": -0.002, "upper": 0.022, "standard_error": 0.006}
    value = {"metric": "mae", "loss": -0.5, "lower": None, "upper": None, "standard_error": None}
    references = {
        "linear": {"click": {"auc": 0.53}, "value": {"mae": 3.0}},
        "single_task": {"click": {"auc": 0.51}, "value": {"mae": 2.0}},
        "differences": {
            "linear": {"click": click, "value": value},
            "single_task": {
                "click": click | {"loss": -0.01, "lower": -0.02, "upper": -0.001},
                "value": value | {"loss": 0.5, "lower": 0.1, "upper": 0.9},
            },
        },
        "about": {},
    }
    said = _shown(_summary(references=references, constant={}, ungated=[]), tmp_path, capfd)
    cells = [[cell.strip() for cell in line.split("│")[1:-1]] for line in said.splitlines() if line.startswith("│")]
    assert ["auc of linear", "0.5300", "-"] in cells and ["mae of linear", "-", "3.0000"] in cells
    assert ["better than linear", "unclear", "yes"] in cells
    assert ["auc of single_task", "0.5100", "-"] in cells
    assert ["better than single_task", "yes", "NO"] in cells
    worse = "no better than the linear model: click (auc 0.0100 worse, 95 % interval -0.0020 to 0.0220). Try: a smaller"
    assert worse in said


def test_the_reads_of_the_eval_split_are_counted(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert "The eval split was read 4 times" in _shown(_summary(eval_reads=4), tmp_path, capfd)
    assert "The eval split" not in _shown(_summary(eval_reads=None), tmp_path, capfd)


@pytest.fixture
def screen() -> Iterator[Callable[..., None]]:
    """Chooses an output, until the end of the test."""
    yield lambda **given: choose(Screen(**given))
    choose(Screen())


def test_quiet_prints_the_outcome_alone(tmp_path: Path, capfd: pytest.CaptureFixture[str], screen: Any) -> None:
    screen(amount="quiet")
    with _console(tmp_path) as console:
        console.started("Trainer")
        console.said("a message")
        console.finished("Trainer")
    assert capfd.readouterr().err == ""
    said = _shown(_summary(failed_gates=["click: auc is 0.5"], blessed=False), tmp_path, capfd)
    assert said.splitlines()[0] == "gate failed: click: auc is 0.5" and said.endswith(
        "not blessed; nothing was pushed\n"
    )


def test_json_prints_an_object_per_line(tmp_path: Path, capfd: pytest.CaptureFixture[str], screen: Any) -> None:
    screen(format="json")
    with _console(tmp_path) as console:
        console.started("Trainer")
        console.said("[bold] is no markup")
        console.finished("Trainer")
    events = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert [one["event"] for one in events] == ["begins", "stage begins", "message", "stage done"]
    assert events[1]["stage"] == "Trainer" and events[2]["message"] == "[bold] is no markup"
    assert events[3]["seconds"] >= 0 and all("time" in one for one in events)
    assert json.loads(_shown(_summary(), tmp_path, capfd))["ungated"] == ["click"]


def test_a_stage_says_how_long_it_took_the_last_time(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for name, cost in (("1", {"Trainer": 30.0, "Probe": 5.0}), ("2", {"Trainer": 12.4})):
        (tmp_path / f"{name}.json").write_text(json.dumps({"cost": {"seconds": cost}}))
    (tmp_path / "3.json").write_text("{")
    with _console(tmp_path) as console:
        for stage in ("Trainer", "Probe", "Pusher"):
            console.started(stage)
        console.said("[bold] is no markup")
    said = capfd.readouterr().err
    assert "Trainer (last time 12 s)\n" in said and "Probe (last time 5 s)\n" in said and "Pusher\n" in said
    assert "  [bold] is no markup\n" in said


def _console(folder: Path) -> RunConsole:
    return RunConsole(load_recipe(ROOT / "recipes" / "shop.yaml", data=folder), folder)
