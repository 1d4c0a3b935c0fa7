"""The probe as TFX runs it: a fresh process, and a blessing whatever happens there."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tfx import types
from tfx.types import standard_artifacts

from components.probe.component import Probe
from components.probe.executor import Executor
from components.probe.plan import ProbePlan
from components.probe.warm_up import WARM_UP
from models.recipe import Recipe

PLAN = ProbePlan(
    tasks={"click": "binary", "value": "regression"}, tolerance=1e-5, score="click + 0.001 * value", page=10
)


def probe(
    model: Path, examples: Path, blessed: int | None = 1, timeout: int = 120
) -> tuple[types.Artifact, dict[str, Any]]:
    inputs = {"model": [standard_artifacts.Model()], "examples": [standard_artifacts.Examples()]}
    inputs["model"][0].uri, inputs["examples"][0].uri = str(model), str(examples)
    if blessed is not None:
        inputs["blessing"] = [standard_artifacts.ModelBlessing()]
        inputs["blessing"][0].set_int_custom_property("blessed", blessed)
    blessing = standard_artifacts.InfraBlessing()
    blessing.uri = str(model.parents[1] / "infra_blessing")
    properties = {"plan": PLAN.model_dump_json(), "code": "1", "timeout_seconds": timeout}
    Executor().Do(inputs, {"infra_blessing": [blessing]}, properties)
    return blessing, json.loads(Path(blessing.uri, "probe.json").read_text())


def properties(blessing: types.Artifact) -> tuple[int, int]:
    return blessing.get_int_custom_property("blessed"), blessing.get_int_custom_property("rows")


@pytest.mark.parametrize("blessed", [1, None])
def test_a_good_model_is_blessed(export: Callable[..., Path], examples: Path, blessed: int | None) -> None:
    blessing, report = probe(export(), examples, blessed)
    assert report["latency_ms"]["p99"] > 0 and report["size_mib"] > 0
    assert (report["blessed"], report["requests"], report["faults"]) == (True, 5, [])
    assert properties(blessing) == (1, 5)
    assert Path(blessing.uri, WARM_UP).stat().st_size > 100


def test_a_wrong_model_is_not(export: Callable[..., Path], examples: Path, caplog: pytest.LogCaptureFixture) -> None:
    blessing, report = probe(export(expected={"click": [0.5] * 5}), examples)
    assert properties(blessing) == (0, 5) and not report["blessed"]
    assert "task 'click': 4 of 5 answers are not what the trainer predicted" in report["faults"][0]
    assert "Probe: one by one: task 'click'" in caplog.text and "The model is not pushed." in caplog.text


def test_a_model_that_the_evaluation_has_not_blessed_is_not_asked(tmp_path: Path, examples: Path) -> None:
    blessing, report = probe(tmp_path / "no" / "such" / "model", examples, blessed=0)
    assert properties(blessing) == (0, 0)
    assert report["faults"] == ["not asked: the evaluation has not blessed the model"]


def test_a_model_that_cannot_be_loaded(export: Callable[..., Path], examples: Path) -> None:
    model = export()
    (model / "Format-Serving" / "saved_model.pb").write_bytes(b"cut off")
    blessing, report = probe(model, examples)
    assert properties(blessing) == (0, 0)
    assert "ended with code 1" in report["faults"][0] and "saved_model.pb" in report["faults"][0]


def test_a_process_that_does_not_answer_in_time(export: Callable[..., Path], examples: Path) -> None:
    blessing, report = probe(export(), examples, timeout=1)
    assert properties(blessing) == (0, 0)
    assert report["faults"] == ["the model did not answer within 1 seconds"]


def test_a_process_that_is_killed(
    export: Callable[..., Path], examples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the kernel does when memory runs out."""
    (tmp_path / "early").mkdir()
    (tmp_path / "early" / "sitecustomize.py").write_text("import os\nos.kill(os.getpid(), 9)\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "early") + os.pathsep + os.environ.get("PYTHONPATH", ""))
    blessing, report = probe(export(), examples)
    assert properties(blessing) == (0, 0)
    assert report["faults"][0].startswith("the process that asked the model was killed by SIGKILL")


def test_the_component_and_its_plan() -> None:
    channels = {
        "model": types.Channel(type=standard_artifacts.Model),
        "examples": types.Channel(type=standard_artifacts.Examples),
    }
    component = Probe(**channels, plan=PLAN.model_dump_json(), code="1")
    assert set(component.outputs) == {"infra_blessing"} and set(component.inputs) == {"model", "examples"}
    component = Probe(
        **channels,
        plan=PLAN.model_dump_json(),
        code="1",
        blessing=types.Channel(type=standard_artifacts.ModelBlessing),
    )
    assert set(component.inputs) == {"model", "examples", "blessing"}
    recipe = {
        "name": "shop",
        "examples": {"path": "x.parquet"},
        "features": {"age": {"kind": "numeric"}},
        "tasks": {
            "click": {"kind": "binary", "label": {"column": "click"}},
            "value": {"kind": "regression", "label": {"column": "value"}},
        },
        "serving": {"score": "click + 0.001 * value", "page": 10},
    }
    assert ProbePlan.from_recipe(Recipe.model_validate(recipe)) == PLAN
    del recipe["serving"]
    assert ProbePlan.from_recipe(Recipe.model_validate(recipe)).score == "click", "the first task"
    assert ProbePlan.model_validate_json(PLAN.model_dump_json()) == PLAN
