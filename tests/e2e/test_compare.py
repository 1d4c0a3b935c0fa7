"""`gatewise compare` and `gatewise tune` from end to end on the shop's logs: killed and gone on, the data stages and trainings once."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import forked
import polars as pl
import pytest

from models.recipe.errors import InputError
from models.recipe.file import load_recipe
from pipeline.run_records import read_records

pytestmark = pytest.mark.slow

QUICK = [
    "--set", "training.epochs=1", "--set", "training.steps_per_execution=1", "--set", "training.jit_compile=false",
    "--set", "training.batch_size=512", "--set", "training.learning_rate=0.01", "--set", "model.embedding_dim=4",
    "--set", "model.options.mmoe={experts: 2, units: [16], tower_units: [8]}",
    "--set", "model.options.single_task={units: [16], tower_units: [8]}",
    "--set", "model.options.shared_bottom={units: [16], tower_units: [8]}",
]  # fmt: skip


@pytest.fixture(scope="module")
def compare(shop_recipe: Path, shop_logs: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., list[str]]:
    root = tmp_path_factory.mktemp("compare")

    def command(name: str = "compare", *more: str) -> list[str]:
        options = ["--seeds", "2"] if name == "compare" else []
        where = ["--root", str(root), "--data", str(shop_logs)]
        return [name, str(shop_recipe), *options, *where, *QUICK, *more]

    return command


@pytest.fixture(scope="module")
def folder(compare: Callable[..., list[str]]) -> Path:
    command = compare()
    return Path(command[command.index("--root") + 1]) / "shop" / "compare"


def trained(folder: Path) -> list[Path]:
    return sorted(folder.glob("trials/*/trial.json"))


def result_in(folder: Path) -> dict[str, Any]:
    [file] = folder.glob("*/compare.json")
    return json.loads(file.read_text())


def without_clocks(result: dict[str, Any]) -> dict[str, Any]:
    """What does not depend on how fast the machine was."""
    left = {name: value for name, value in result.items() if name not in ("seconds", "command")}
    left["methods"] = [{name: value for name, value in row.items() if name != "cost"} for row in result["methods"]]
    return left


@pytest.fixture(scope="module")
def killed_and_gone_on(
    gatewise: Callable[..., Any],
    compare: Callable[..., list[str]],
    folder: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[int, Any]:
    """Kills the whole comparison after its second training, and runs the same command again: trainings by then, and the end."""
    printed = tmp_path_factory.mktemp("killed") / "printed"
    process = forked.start([sys.executable, "-m", "pipeline.cli", *compare()], Path.cwd(), printed, printed)
    while process.poll() is None and len(trained(folder)) < 2:
        time.sleep(0.05)
    assert process.poll() is None, printed.read_text()
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    deadline = time.monotonic() + 60
    while workers(folder) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not workers(folder), "the processes of the trainings outlive the command"
    return len(trained(folder)), gatewise(*compare("compare", "--write", str(folder.parent / "best.yaml")))


def workers(folder: Path) -> list[str]:
    """Command lines of the processes that train for this folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(path.read_bytes().replace(b"\0", b" ").decode())
        except OSError:  # has ended
            continue
    return [line for line in found if "pipeline.comparing.worker" in line and str(folder) in line]


def test_a_killed_comparison_goes_on_where_it_was(killed_and_gone_on: tuple[int, Any], folder: Path) -> None:
    before, done = killed_and_gone_on
    assert done.code == 0, done.err
    assert 2 <= before < 6 == len(trained(folder))
    again = done.err.count("trained before")
    assert done.err.count("validation score") <= 6 and again <= before
    assert not list(folder.glob("trials/*/.checkpoint"))


def test_the_result_answers_with_every_method_on_the_same_rows(
    killed_and_gone_on: tuple[int, Any], folder: Path
) -> None:
    _, done = killed_and_gone_on
    result = result_in(folder)
    assert [row["name"] for row in result["methods"]] == ["single_task", "shared_bottom", "mmoe"]
    assert [row["asked"] for row in result["methods"]] == [False, False, True]
    sizes = [row["parameters"] for row in result["methods"]]
    assert max(sizes) / min(sizes) < 1.05 and all(abs(row["off_budget"]) <= 0.03 for row in result["methods"])
    assert result["test_reads"] == {"here": 3, "all": 3} and result["seeds"] == [1, 2] and not result["failed"]
    assert result["tasks"]["order_value"] == {"kind": "regression", "metric": result["tasks"]["order_value"]["metric"]}
    for row in result["methods"]:
        assert row["cost"]["page_ms"]["p99"] >= row["cost"]["page_ms"]["p50"] > 0 and row["flops"] > 0
        assert set(row["truth"]) == set(result["tasks"])
        assert row["truth"]["click"]["log_loss_gap"] > 0
    [mmoe] = [row for row in result["methods"] if row["name"] == "mmoe"]
    assert set(mmoe["against"]) == {"single_task", "shared_bottom"} and mmoe["delta_m"]["verdict"] != "not measured"
    page = next(folder.glob("*/compare.html"))
    assert str(page) in done.out and "shared_bottom" in page.read_text()
    # The eval predictions of every training, for notebooks.
    [*files] = folder.glob("trials/*/predictions/predictions.parquet")
    assert len(files) == 6
    assert {"click", "order_value"} < set(pl.read_parquet(files[0]).columns)


def test_the_same_command_trains_nothing_and_writes_the_same_page(
    killed_and_gone_on: tuple[int, Any], gatewise: Callable[..., Any], compare: Callable[..., list[str]], folder: Path
) -> None:
    result, page = result_in(folder), next(folder.glob("*/compare.html"))
    before, times = page.read_bytes(), [file.stat().st_mtime_ns for file in trained(folder)]
    # One method's trainings are gone: they are trained again, not killed this time, and come out the same.
    [own] = [row for row in result["methods"] if row["name"] == "mmoe"]
    for path in [*folder.glob("methods/*.json")]:
        content = json.loads(path.read_text())
        if content["overrides"] == own["overrides"]:
            path.unlink()
            for trial in content["folders"]:
                shutil.rmtree(trial)
    kept = {file: file.stat().st_mtime_ns for file in trained(folder)}
    done = gatewise(*compare("compare", "--write", str(folder.parent / "best.yaml")))
    assert done.code == 0, done.err
    assert "EventLogs done in" in done.err and len(times) == 6
    assert {file: file.stat().st_mtime_ns for file in kept} == kept
    assert without_clocks(result_in(folder)) == without_clocks(result)
    assert len(page.read_bytes()) == pytest.approx(len(before), rel=0.01)


def test_the_best_recipe_is_written_with_its_comments_and_is_valid(
    killed_and_gone_on: tuple[int, Any], folder: Path, shop_recipe: Path, shop_logs: Path
) -> None:
    result, written = result_in(folder), folder.parent / "best.yaml"
    text = written.read_text()
    assert text.startswith(f"# {result['chosen']['method']}. It has the best mean validation score")
    assert "# " in shop_recipe.read_text() and "features:" in text
    recipe = load_recipe(written)
    [best] = [row for row in result["methods"] if row["name"] == result["chosen"]["method"]]
    own = load_recipe(shop_recipe, [*QUICK[1::2], *best["overrides"]], shop_logs)
    assert recipe.model == own.model and recipe.training == own.training and recipe.data == str(shop_logs)


def test_a_comparison_is_no_run(killed_and_gone_on: tuple[int, Any], folder: Path) -> None:
    with pytest.raises(InputError, match="no record of a run found"):
        read_records(folder.parent.parent)


def test_tune_searches_by_the_validate_split_alone(
    killed_and_gone_on: tuple[int, Any], gatewise: Callable[..., Any], compare: Callable[..., list[str]], folder: Path
) -> None:
    tuned, before = folder.parent / "tuned.yaml", len(list(folder.glob("trials/*/predictions")))
    done = gatewise(*compare("tune", "--trials", "3", "--write", str(tuned)))
    assert done.code == 0, done.err
    assert "the recipe's values" in done.out and "Validation score" in done.out
    assert len(list(folder.glob("trials/*/predictions"))) == before, "a trial has read the eval split"
    assert load_recipe(tuned).model.architecture == "mmoe"
    again = gatewise(*compare("tune", "--trials", "3", "--write", str(tuned)))
    assert again.out == done.out and "0 of 1 methods to train" in again.err
    # Options that do not fit each other are a failed trial, not the end of the search.
    refused = gatewise(
        *compare(
            "tune",
            "--trials",
            "3",
            "--set",
            "search={model.options.mmoe.gate: {choices: [top_k]}, model.options.mmoe.k: {choices: [99]}}",
        )
    )
    assert refused.code == 0 and "failed" in refused.out, refused.err


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--architectures", "pel"], "unknown architecture 'pel'"),
        (["--balancers", "pcgrad,pcgrad"], "the balancer pcgrad is named twice"),
        (["--set", "training.distill={teacher: blessed}"], "has no blessed model to learn from"),
        (["--day", "2026-01-01"], "has no `logs.span`"),
    ],
)
def test_what_cannot_be_compared_is_refused_before_the_data_are_read(
    gatewise: Callable[..., Any], compare: Callable[..., list[str]], more: list[str], said: str
) -> None:
    done = gatewise(*compare("compare", *more))
    assert done.code == 1 and said in done.err and "EventLogs" not in done.err
