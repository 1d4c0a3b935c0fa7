"""Three nights of the simulated shop by days: cold, warm, and the same day again from the cache; a rollback moves the ancestor; the same on Kubeflow."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import yaml
from kubeflow_replay.replay import Replay, Task
from kubeflow_replay.store import Store

from components.push.nights import STATE, Record, read_records
from models.features.ids import read_ids
from models.training.state import read_state

pytestmark = pytest.mark.slow

RECIPE = Path(__file__).resolve().parents[2] / "recipes" / "shop_days.yaml"
DAYS = ("2026-01-03", "2026-01-04", "2026-01-05")
SMALL = [
    part
    for one in (
        "split.train_last=2d",
        "model.options.mmoe={experts: 2, units: [8], tower_units: []}",
        "model.embedding_dim=4",
        "training.jit_compile=false",
        "training.epochs=1",
        *(f"tasks.{task}.gates=none" for task in ("click", "cart", "order")),
    )
    for part in ("--set", one)
]


PROJECT = RECIPE.parents[1]


@pytest.fixture(scope="module")
def nights(gatewise: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Callable[..., Any]]:
    """The root of three nights, and the command that runs a day."""
    folder = tmp_path_factory.mktemp("nights")
    logs, root = folder / "logs", folder / "runs"
    made = gatewise(
        "simulate", RECIPE, "--days", 5, "--impressions", 1500, "--births", 0.05, "--seed", 3, "--out", logs
    )
    assert made.code == 0, made.err

    def run(day: str, *more: object) -> Any:
        return gatewise(
            "run", RECIPE, "--root", root, "--data", logs, "--day", day, *SMALL, "--json", folder / "night.json", *more
        )

    for day in DAYS:
        done = run(day)
        assert done.code == 0, done.err[-3000:]
    return root, run


def _records(root: Path) -> list[Record]:
    return list(read_records(root / "states" / "shop_days").values())


def test_each_night_goes_on_from_the_last(nights: tuple[Path, Callable[..., Any]]) -> None:
    root, _ = nights
    found = _records(root)
    assert [(one.day, one.start, one.pushed) for one in found] == [
        (DAYS[0], "cold", True),
        (DAYS[1], "warm", True),
        (DAYS[2], "warm", True),
    ]
    assert [one.ancestor for one in found] == [None, found[0].version, found[1].version]
    assert [one.cursor.until for one in found] == sorted({one.cursor.until for one in found})
    states = [root / "states" / "shop_days" / str(one.version) / STATE for one in found]
    steps = [int(read_state(state).variables["optimizer:Adam/iterations"]) for state in states]
    assert 0 < steps[0] < steps[1] < steps[2]
    ledgers = [read_ids(state / "features") for state in states]
    for old, new in itertools.pairwise(ledgers):
        assert old.capacities == new.capacities
        kept = old.of_table("item_id").filter(pl.col("row") >= 0).join(new.of_table("item_id"), on="value")
        assert kept.height > 0 and (kept["row"] == kept["row_right"]).all()
    # New items have come, and have rows.
    assert len(ledgers[2].vocabulary("item_id")) > len(ledgers[0].vocabulary("item_id"))


def test_a_label_is_learned_by_one_night(nights: tuple[Path, Callable[..., Any]]) -> None:
    root, _ = nights
    folders = sorted(
        (root / "shop_days" / "artifacts" / "EventLogs" / "examples").iterdir(), key=lambda path: int(path.name)
    )
    for task in ("click", "cart", "order"):
        columns = [pl.col("gatewise/example_id"), pl.col(f"weight/{task}")]
        learned = [
            pl.read_parquet(folder / "Split-train" / "*.parquet")
            .select(columns)
            .explode(pl.all())
            .filter(pl.col(f"weight/{task}") > 0)
            for folder in folders
        ]
        ids = pl.concat(learned)["gatewise/example_id"]
        assert len(ids) == ids.n_unique() and all(len(one) for one in learned)


def test_the_same_day_comes_from_the_cache_and_a_rollback_moves_the_ancestor(
    nights: tuple[Path, Callable[..., Any]], gatewise: Callable[..., Any]
) -> None:
    root, run = nights
    again = run(DAYS[2])
    assert again.code == 0 and again.result["all_cached"], again.err[-2000:]
    assert f"night: {DAYS[2]}, goes on from version" in again.err
    versions = [one.version for one in _records(root)]
    served = root / "serving" / "shop_days"
    assert gatewise("rollback", served, versions[0], "--reason", "clicks fell").code == 0
    later = gatewise("validate", RECIPE, "--day", DAYS[2])
    assert later.code == 0
    from components.push.nights import night_of
    from models.recipe.file import load_recipe

    recipe = load_recipe(RECIPE, ["logs.day=2026-01-06"])
    found = night_of(recipe, served, root / "states" / "shop_days")
    assert found is not None and found.ancestor == versions[0]
    assert gatewise("rollback", served, "--undo").code == 0
    found = night_of(recipe, served, root / "states" / "shop_days")
    assert found is not None and found.ancestor == versions[2]


def test_the_report_and_the_list_of_versions_show_the_nights(
    nights: tuple[Path, Callable[..., Any]], gatewise: Callable[..., Any], tmp_path: Path
) -> None:
    root, _ = nights
    page = tmp_path / "page.html"
    done = gatewise("report", root / "shop_days", "--out", page)
    assert done.code == 0, done.err
    assert ">Nights<" in page.read_text() and "2026-01-04" in page.read_text()
    listed = gatewise("versions", root)
    assert listed.code == 0 and all(day in listed.out for day in DAYS)


@pytest.fixture(scope="module")
def on_kubeflow(
    nights: tuple[Path, Callable[..., Any]],
    store: Store,
    gatewise: Callable[..., Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, list[dict[str, Task]], Replay]:
    """The volume that outlives the pods, and the three nights of one compiled file: told their day in three ways."""
    logs, folder = nights[0].parent / "logs", tmp_path_factory.mktemp("kubeflow")
    home, document = folder / "gatewise", yaml.safe_load(RECIPE.read_text())
    document["kubeflow"] = {
        "pipeline_root": "s3://recommender/nights",
        "root": str(home),
        "data": str(logs),
        "image": "registry.example.com/gatewise:1.0",
        "defaults": {
            "volumes": {str(home): "gatewise-home", str(logs): "logs"},
            "environment": {"TF_CPP_MIN_LOG_LEVEL": 2, "XLA_FLAGS": os.environ.get("XLA_FLAGS", "")},
        },
    }
    recipe = folder / "shop_days.yaml"
    recipe.write_text(yaml.safe_dump(document, sort_keys=False))
    done = gatewise("compile", recipe, "--out", folder / "pipeline.yaml", *SMALL)
    assert done.code == 0, done.err
    replay = Replay(folder / "pipeline.yaml", store, "s3://recommender/nights", folder / "pods", PROJECT)
    runs = [
        replay.run({"day": DAYS[0]}),
        replay.run({"day": "2026-01-05T03:00:00Z"}),  # as Kubeflow replaces a macro
        replay.run(scheduled="2026-01-06T03:00:00Z"),  # a Kubeflow that does not replace macros, but tells the moment
    ]
    for run in runs:
        for name, task in run.items():
            assert task.succeeded, f"{name}: {task.attempts[-1].log[-3000:] if task.attempts else 'not run'}"
    return home, runs, replay


def test_three_nights_of_a_compiled_file_are_those_of_this_machine(
    nights: tuple[Path, Callable[..., Any]], on_kubeflow: tuple[Path, list[dict[str, Task]], Replay]
) -> None:
    """Records, ids and weights, down to the bit."""
    here, there = _records(nights[0]), _records(on_kubeflow[0])
    assert [(one.day, one.start, one.cursor) for one in here] == [(one.day, one.start, one.cursor) for one in there]
    assert [one.ancestor for one in there] == [None, there[0].version, there[1].version]
    assert [one.metrics for one in here] == [one.metrics for one in there]
    for ours, theirs in zip(here, there, strict=True):
        states = [
            root / "states" / "shop_days" / str(one.version) / STATE
            for root, one in ((nights[0], ours), (on_kubeflow[0], theirs))
        ]
        variables = [read_state(state).variables for state in states]
        assert list(variables[0]) == list(variables[1])
        assert all(np.array_equal(variables[0][name], variables[1][name]) for name in variables[0])
        ids = [read_ids(state / "features") for state in states]
        assert ids[0].of_table("item_id").equals(ids[1].of_table("item_id"))
    last = on_kubeflow[1][2]["EventLogs"].attempts[-1].lines[-1]
    assert last["span"] == 20_458, "2026-01-05, in days since 1970"


def test_a_run_that_is_not_told_its_day_reads_nothing(
    on_kubeflow: tuple[Path, list[dict[str, Task]], Replay],
) -> None:
    done = on_kubeflow[2].run(only={"Night", "EventLogs"})
    [attempt] = done["Night"].attempts
    assert attempt.code == 1 and "Traceback" not in attempt.log
    assert "parameter day: received '[[ScheduledTime]]'" in attempt.lines[-1]["message"]
    assert done["EventLogs"].attempts == []
