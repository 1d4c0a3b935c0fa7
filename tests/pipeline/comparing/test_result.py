"""`compare.json` from what the methods left: by hand on four methods and two tasks."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import log_loss, roc_auc_score

from components.references.predictions import write_predictions
from models.recipe.file import load_recipe
from pipeline.comparing.eval_split import EvalSplit
from pipeline.comparing.methods import Method
from pipeline.comparing.result import About, result
from pipeline.comparing.trial import PREDICTIONS, Record
from pipeline.comparing.verdicts import Task

ROWS, USERS = 600, 120
RECIPE = load_recipe(Path(__file__).parents[3] / "recipes" / "shop.yaml")
METHODS = {
    "single_task": (Method("single_task", "none", asked=False), 1.0),
    "shared_bottom": (Method("shared_bottom", "none", asked=False), 1.0),
    "mmoe": (Method("mmoe", "none", asked=False), 4.0),
    "mmoe + pcgrad": (Method("mmoe", "none", "pcgrad"), 0.1),
}
"""Name -> method, and how much noise its predictions have."""


@pytest.fixture(scope="module")
def split() -> EvalSplit:
    random = np.random.default_rng(1)
    logits = random.normal(size=(2, ROWS))
    labels = (random.random((2, ROWS)) < 1 / (1 + np.exp(-logits))).astype(np.float32)
    tasks = {
        task: Task(metric="auc", labels=labels[i], weights=np.ones(ROWS, np.float32), binary=True)
        for i, task in enumerate(("click", "order"))
    }
    return EvalSplit(
        tasks=tasks,
        ids=np.arange(ROWS)[::-1].copy(),
        groups=np.arange(ROWS) % USERS,
        truth={"click": 1 / (1 + np.exp(-logits[0]))},
    )


@pytest.fixture(scope="module")
def left(split: EvalSplit, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    made, folder = {}, tmp_path_factory.mktemp("trials")
    for name, (_, noise) in METHODS.items():
        folders, records = [], []
        for seed in (1, 2, 3):
            random = np.random.default_rng([seed, len(name)])
            clean = np.log(split.truth["click"] / (1 - split.truth["click"]))
            noisy = 1 / (1 + np.exp(-(clean + noise * random.normal(size=ROWS))))
            other = 1 / (1 + np.exp(-(2 * split.tasks["order"].labels - 1 + (1 + noise) * random.normal(size=ROWS))))
            place = folder / f"{len(made)}-{seed}"
            # A file is by rising id; the split has the ids the other way round.
            predictions = {"click": noisy[::-1].astype(np.float32), "order": other[::-1].astype(np.float32)}
            write_predictions(str(place), PREDICTIONS, split.ids[::-1], predictions)
            folders.append(str(place))
            records.append(
                Record(
                    score=0.9 + 0.01 * noise + 0.001 * seed,
                    seconds=10.0 * seed,
                    seconds_per_pass=float(seed),
                    parameters={"network": 100, "embeddings": 7},
                    flops=200,
                    page_ms={"p50": 1.0 * seed, "p99": 2.0 * seed},
                    peak_memory=1000 + seed,
                    gates={"click": [1.0]},
                )
            )
        made[name] = {
            "overrides": ["model.architecture=x"],
            "changes": {},
            "trials": [],
            "off_budget": 0.01,
            "budget": 99.0,
            "folders": folders,
            "records": [dataclasses.asdict(record) for record in records],
        }
    return made


@pytest.fixture(scope="module")
def content(split: EvalSplit, left: dict[str, Any]) -> dict[str, Any]:
    about = About(
        file="shop.yaml", command="gatewise compare shop.yaml", code="c", data={}, match="parameters", trials=0, seeds=(1, 2, 3),
        examples={"eval": ROWS}, test_reads={"here": 4, "all": 4},
    )  # fmt: skip
    methods = {name: method for name, (method, _) in METHODS.items()}
    return result(RECIPE, about, methods, left, split, {"ple": "loss is nan"})


def row(content: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in content["methods"] if one["name"] == name)


def test_metrics_are_those_of_the_predictions_in_the_order_of_the_split(
    content: dict[str, Any], split: EvalSplit, left: dict[str, Any]
) -> None:
    predictions = split.predictions(left["mmoe"]["folders"])["click"]
    found = row(content, "mmoe")["metrics"]["click"]
    labels = split.tasks["click"].labels
    assert found["auc"]["by_seed"] == pytest.approx([roc_auc_score(labels, one) for one in predictions])
    assert found["log_loss"]["by_seed"] == pytest.approx([log_loss(labels, one) for one in predictions], rel=1e-5)
    rate = labels.mean(dtype=np.float64)
    entropy = -rate * np.log(rate) - (1 - rate) * np.log(1 - rate)
    assert found["normalized_entropy"]["mean"] == pytest.approx(found["log_loss"]["mean"] / entropy)
    gap = found["log_loss"]["mean"] - log_loss(labels, split.truth["click"])
    assert row(content, "mmoe")["truth"] == {"click": {"log_loss_gap": pytest.approx(gap, rel=1e-4)}}


def test_each_method_is_compared_with_the_rows_that_nobody_may_leave_out(content: dict[str, Any]) -> None:
    assert {name: set(row(content, name)["against"]) for name in METHODS} == {
        "single_task": {"shared_bottom"},
        "shared_bottom": {"single_task"},
        "mmoe": {"single_task", "shared_bottom"},
        "mmoe + pcgrad": {"single_task", "shared_bottom", "fixed"},
    }
    better, worse = row(content, "mmoe + pcgrad"), row(content, "mmoe")
    assert better["against"]["fixed"]["click"]["verdict"] == better["delta_m"]["verdict"] == "better"
    assert worse["against"]["single_task"]["click"]["verdict"] == "worse"
    assert row(content, "single_task")["delta_m"] is None
    assert [one["pareto"] for one in content["methods"]] == [False, False, False, True]


def test_the_validate_split_chooses_and_the_eval_split_says_how_sure(content: dict[str, Any]) -> None:
    assert content["chosen"]["method"] == "mmoe + pcgrad" and content["chosen"]["significant"]
    assert "(0.9030)" in content["chosen"]["why"] and "better than the single-task twins" in content["chosen"]["why"]


def test_costs_are_medians_peaks_and_sums_over_the_seeds(content: dict[str, Any]) -> None:
    cost = row(content, "mmoe")["cost"]
    assert cost == {
        "seconds_per_pass": 2.0, "seconds": 60.0, "peak_memory": 1003, "page_ms": {"p50": 2.0, "p99": 4.0},
    }  # fmt: skip
    assert content["seconds"] == 240.0 and content["budget"] == {"parameters": 99.0}
    assert content["groups"] == {"key": "user_id", "count": USERS} and content["failed"] == {"ple": "loss is nan"}
