"""A ranker and a retrieval model in one compiled file: two trainers, two baselines and two pushes, and no mix-up of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kubeflow_replay import api_server

from models.recipe.checks.kubeflow import RETRIEVAL_STAGES, stages_of
from models.recipe.recipe import Recipe
from pipeline import dag, retrieval_stages
from pipeline.dag import create_pipeline
from pipeline.kubeflow.compile import compile_recipe
from pipeline.kubeflow.spec.parameters import PARAMETERS
from pipeline.local_platform import LocalPlatform
from pipeline.run_paths import run_paths

RETRIEVAL = {"user": "user_id", "item": "item_id", "positives": {"click": 1.0}}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashing the sources is most of a compile, and tested elsewhere."""
    for module in (dag, retrieval_stages):
        monkeypatch.setattr(module, "code_version", lambda *modules: "-".join(modules))


@pytest.fixture
def recipe(make_recipe: Callable[..., Recipe]) -> Recipe:
    return make_recipe(retrieval=RETRIEVAL)


@pytest.fixture
def spec(recipe: Recipe, tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "pipeline.yaml").write_text(compile_recipe(recipe).text, encoding="utf-8")
    return api_server.upload(tmp_path / "pipeline.yaml")[0]


def constants(task: dict[str, Any]) -> dict[str, Any]:
    """A task's execution properties, without the parameters of the run."""
    given = task["inputs"]["parameters"]
    return {key: value["runtimeValue"]["constant"] for key, value in given.items() if "runtimeValue" in value}


def sources(task: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Which output each of a task's input artifacts is."""
    given = {key: value["taskOutputArtifact"] for key, value in task["inputs"]["artifacts"].items()}
    return {key: (source["producerTask"], source["outputArtifactKey"]) for key, source in given.items()}


def test_the_stages_are_those_that_the_recipe_can_name(recipe: Recipe, spec: dict[str, Any], tmp_path: Path) -> None:
    tasks = spec["root"]["dag"]["tasks"]
    assert set(tasks) == set(stages_of(recipe)) and set(RETRIEVAL_STAGES) <= set(tasks)
    for stage, task in tasks.items():
        component = spec["components"][task["componentRef"]["name"]]
        container = spec["deploymentSpec"]["executors"][component["executorLabel"]]["container"]
        assert container["args"][:2] == ["--stage", stage]
    here = LocalPlatform(run_paths(recipe, tmp_path))
    here.logs_fingerprint = here.truth_fingerprint = here.best_items_fingerprint = lambda *recipe: ""  # type: ignore[method-assign]
    renamed = {
        "baseline_model": "BaselineModel",
        "retrieval_baseline": "RetrievalBaseline",
        "baseline_statistics": "BaselineStatistics",
    }
    assert {renamed.get(node.id, node.id) for node in create_pipeline(recipe, here).components} == set(tasks)


def test_each_push_is_the_other_s_partner(spec: dict[str, Any]) -> None:
    tasks = spec["root"]["dag"]["tasks"]
    ranker, retrieval = sources(tasks["Pusher"]), sources(tasks["RetrievalPusher"])
    assert ranker == {
        "model": ("Trainer", "model"),
        "model_blessing": ("Evaluator", "blessing"),
        "infra_blessing": ("Probe", "infra_blessing"),
        "partner": ("RetrievalTrainer", "model"),
        "partner_blessing": ("RetrievalEvaluator", "blessing"),
    }
    assert retrieval == {
        "model": ranker["partner"],
        "model_blessing": ranker["partner_blessing"],
        "partner": ranker["model"],
        "partner_blessing": ranker["model_blessing"],
        "partner_infra_blessing": ranker["infra_blessing"],
    }
    folders = {}
    for stage in ("Pusher", "RetrievalPusher"):
        given = constants(tasks[stage])
        own = json.loads(given["push_destination"])["filesystem"]["base_directory"]
        folders[stage] = (own, given["partner_served"])
    assert folders["Pusher"] == ("/gatewise/serving/shop", "/gatewise/serving/shop_retrieval")
    assert folders["RetrievalPusher"] == folders["Pusher"][::-1]


def test_each_candidate_is_compared_with_what_its_own_push_has_left(spec: dict[str, Any]) -> None:
    tasks = spec["root"]["dag"]["tasks"]
    for baseline, trainer, evaluator, folder in (
        ("BaselineModel", "Trainer", "Evaluator", "/gatewise/serving/shop"),
        ("RetrievalBaseline", "RetrievalTrainer", "RetrievalEvaluator", "/gatewise/serving/shop_retrieval"),
    ):
        assert sources(tasks[baseline]) == {"candidate": (trainer, "model")}
        assert constants(tasks[baseline])["served"] == folder
        assert "cachingOptions" not in tasks[baseline]
        assert sources(tasks[evaluator])["baseline_model"] == (baseline, "baseline_model")
        assert sources(tasks[evaluator])["model"] == (trainer, "model")


def test_a_parameter_reaches_all_its_stages(spec: dict[str, Any]) -> None:
    assert api_server.start(spec, {"seed": 3}) == {
        "as_of": "2026-01-15T00:00:00Z",
        "epochs": 2,
        "seed": 3,
        "push": True,
    }
    for stage, task in spec["root"]["dag"]["tasks"].items():
        given = {name for name, value in task["inputs"]["parameters"].items() if "componentInputParameter" in value}
        assert given == {name for name, parameter in PARAMETERS.items() if stage in parameter.stages}
        defined = spec["components"][task["componentRef"]["name"]]["inputDefinitions"]["parameters"]
        assert all(defined[name]["defaultValue"] is not None for name in given)
