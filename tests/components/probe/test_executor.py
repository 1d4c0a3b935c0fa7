"""The probe as TFX runs it: a fresh process, and a blessing whatever happens there."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tfx import types
from tfx.types import standard_artifacts

from components.probe.component import Probe
from components.probe.executor import Executor
from components.probe.plan import ProbePlan
from models.files.version_folders import WARM_UP
from models.recipe.errors import NoVerdictError
from models.recipe.recipe import Recipe

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
    assert "task 'click': 4 of 5 answers differ from the trainer's" in report["faults"][0]
    assert "Probe: one by one: task 'click'" in caplog.text and "The model is not pushed." in caplog.text


def test_a_model_that_the_evaluation_has_not_blessed_is_not_asked(tmp_path: Path, examples: Path) -> None:
    blessing, report = probe(tmp_path / "no" / "such" / "model", examples, blessed=0)
    assert properties(blessing) == (0, 0)
    assert report["faults"] == ["not probed: the evaluation has not blessed the model"]


def test_a_model_that_cannot_be_loaded(export: Callable[..., Path], examples: Path) -> None:
    model = export()
    (model / "Format-Serving" / "saved_model.pb").write_bytes(b"cut off")
    blessing, report = probe(model, examples)
    assert properties(blessing) == (0, 0)
    assert "the model failed: OSError" in report["faults"][0] and "saved_model.pb" in report["faults"][0]


NO_VERDICT = {
    "killed, as the kernel does when memory runs out": (
        "os.kill(os.getpid(), 9)",
        "was killed by SIGKILL; the kernel sends it when memory runs out",
    ),
    "aborted, as C++ does on std::bad_alloc": ("print('bad_alloc', flush=True); os.abort()", "SIGABRT.*bad_alloc"),
    "a signal without a name": ("os.kill(os.getpid(), 40)", "was killed by signal 40"),
    "hangs": (
        "print('loading', flush=True); time.sleep(60)",
        "did not answer within 2 seconds.*Its last output:.loading",
    ),
    "hangs, with a child that has its output": (
        "os.environ.pop('PYTHONPATH'); subprocess.Popen(['sleep', '30']); time.sleep(60)",
        "did not answer within 2 seconds",
    ),
    "does not get as far as asking": (
        "print('no TensorFlow', flush=True); os._exit(1)",
        "ended with code 1.*no TensorF",
    ),
    "ends without an answer": ("os._exit(0)", "ended with code 0 and without an answer"),
}
"""What the process that asks does -> what is said of it."""


@pytest.mark.parametrize("case", NO_VERDICT)
def test_a_process_that_comes_to_no_verdict(
    case: str, examples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stage fails, so that TFX keeps no answer and the next run asks again."""
    code, words = NO_VERDICT[case]
    (tmp_path / "early").mkdir()
    (tmp_path / "early" / "sitecustomize.py").write_text(f"import os, subprocess, time\n{code}\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "early") + os.pathsep + os.environ.get("PYTHONPATH", ""))
    begin = time.monotonic()
    told_of = rf"(?s)^Probe: the process that runs the model .*{words}.*Run the same command again"
    with pytest.raises(NoVerdictError, match=told_of) as told:
        probe(tmp_path / "model" / "3", examples, timeout=2 if "hangs" in case else 120)
    assert told.value.exit_code == 3 and time.monotonic() - begin < 20
    assert not (tmp_path / "infra_blessing" / "probe.json").exists()


def test_a_process_that_cannot_be_started(examples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("components.probe.process.sys.executable", str(tmp_path / "no_python"))
    with pytest.raises(NoVerdictError, match="could not start: .*No such file"):
        probe(tmp_path / "model" / "3", examples)


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
