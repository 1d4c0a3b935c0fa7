"""The compiled file itself, step by step over a store that speaks S3, to a pushed model that answers as the local run's."""

from __future__ import annotations

import copy
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import forked
import pyarrow.parquet as pq
import pytest
import yaml
from google.protobuf import json_format
from kfp import local
from kfp.local import pipeline_orchestrator, subprocess_task_handler
from kfp.pipeline_spec import pipeline_spec_pb2
from kubeflow_replay import api_server
from kubeflow_replay.replay import Replay, Task
from kubeflow_replay.store import Store

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).resolve().parents[2]
ROOT = "s3://recommender/pipelines"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The volume that outlives the pods."""
    return tmp_path_factory.mktemp("volume") / "gatewise"


@pytest.fixture(scope="module")
def recipe(home: Path, shop_recipe: Path, shop_logs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    document = yaml.safe_load(shop_recipe.read_text())
    document["data"] = str(shop_logs)
    document["kubeflow"] = {
        "pipeline_root": ROOT,
        "root": str(home),
        "data": str(shop_logs),
        "image": "registry.example.com/gatewise:1.0",
        "defaults": {
            "volumes": {str(home): "gatewise-home", str(shop_logs): "logs"},
            "environment": {"TF_CPP_MIN_LOG_LEVEL": 2, "XLA_FLAGS": os.environ.get("XLA_FLAGS", "")},
        },
        "stages": {"Trainer": {"retries": {"count": 2}}},
    }
    path = tmp_path_factory.mktemp("recipe") / "shop.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    return path


@pytest.fixture(scope="module")
def replay(
    recipe: Path,
    store: Store,
    gatewise: Callable[..., Any],
    quick: list[str],
    gates_off: list[str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Replay:
    folder = tmp_path_factory.mktemp("kubeflow")
    done = gatewise("compile", recipe, "--out", folder / "pipeline.yaml", *quick, *gates_off)
    assert done.code == 0, done.err
    anew = {"EventLogs", "Trainer", "Pusher"}
    return Replay(folder / "pipeline.yaml", store, ROOT, folder / "pods", PROJECT, anew)


@pytest.fixture(scope="module")
def run(replay: Replay, home: Path) -> dict[str, Task]:
    """The whole run. The ranker's trainer is killed once its first epoch is kept; the retrieval trainer keeps its own beside."""
    kept = home / "shop" / "checkpoints"
    return replay.run(
        kill={"Trainer": lambda: any("click_loss" in path.read_text() for path in kept.glob("*/state.json"))}
    )


def test_every_step_succeeds_and_the_killed_one_is_retried(run: dict[str, Task]) -> None:
    for name, task in run.items():
        assert task.succeeded, f"{name}: {task.attempts[-1].log[-3000:] if task.attempts else 'not run'}"
        assert len(task.attempts) == (2 if name == "Trainer" else 1)


def test_the_retried_training_goes_on_from_its_checkpoint(run: dict[str, Task], home: Path) -> None:
    killed, again = run["Trainer"].attempts
    assert killed.code == -9
    assert any("Resuming from a checkpoint after 1 evaluations" in line["message"] for line in again.lines), again.log[
        -3000:
    ]
    assert not (home / "shop" / "checkpoints").exists()


def test_the_pushed_model_predicts_as_the_local_runs_with_the_same_seed(
    run: dict[str, Task],
    recipe: Path,
    home: Path,
    gatewise: Callable[..., Any],
    first_run: Any,
    shop_logs: Path,
    tmp_path: Path,
) -> None:
    assert first_run.done.code == 0, first_run.done.out + first_run.done.err
    served = home / "serving", first_run.pushed
    columns = set(yaml.safe_load(recipe.read_text())["features"]) - {"price_level"}
    table = pq.read_table(sorted(shop_logs.glob("impressions/*.parquet"))[0]).slice(0, 300)
    requests = tmp_path / "requests.jsonl"
    requests.write_text(
        "".join(json.dumps({key: row[key] for key in columns}) + "\n" for row in table.select(columns).to_pylist())
    )
    answers = [gatewise("predict", folder / "shop", "--input", requests) for folder in served]
    assert [done.code for done in answers] == [0, 0], answers
    assert len(answers[0].out.splitlines()) == 300 and answers[0].out == answers[1].out
    pushed = [sorted(folder.glob("*/*/assets.extra/items.parquet")) for folder in served]
    assert [len(files) for files in pushed] == [1, 1], "one version of the retrieval model each"
    assert pq.read_table(pushed[0][0]).equals(pq.read_table(pushed[1][0])), "the same items, with the same vectors"


def test_the_log_has_stage_span_and_counts(run: dict[str, Task]) -> None:
    for name, task in run.items():
        last = task.attempts[-1].lines[-1]
        assert last["stage"] == name and last["level"] == "INFO" and last["seconds"] > 0
    accounts = run["EventLogs"].attempts[-1].lines[-1]
    assert accounts["span"] == 0 and accounts["rows"]["examples"] > 20_000


def test_what_the_next_run_is_compared_with_is_kept(run: dict[str, Task], home: Path) -> None:
    assert run["BaselineModel"].outputs["baseline_model"]["metadata"]["found"] == 0
    assert run["BaselineStatistics"].outputs["baseline_statistics"]["metadata"]["found"] == 0
    [kept] = (home / "shop" / "statistics").iterdir()
    assert (kept / "Split-train" / "FeatureStats.pb").is_file()


def test_the_next_candidate_is_compared_with_the_pushed_model(run: dict[str, Task], replay: Replay, home: Path) -> None:
    assert "baseline_model" not in run["Evaluator"].outputs["blessing"]["metadata"]
    [version] = (home / "serving" / "shop").glob("[0-9]*")
    older = version.with_name(str(int(version.name) - 86_400))
    shutil.copytree(version, older)
    cached = {name: task for name, task in run.items() if name not in ("BaselineModel", "Evaluator", "Probe", "Pusher")}
    again = replay.run(only={"BaselineModel", "Evaluator"}, cached=cached)
    assert again["BaselineModel"].outputs["baseline_model"]["metadata"]["found"] == 1
    assert f"Baseline: {older}" in again["BaselineModel"].attempts[-1].log
    assert again["Evaluator"].succeeded, again["Evaluator"].attempts[-1].log[-3000:]
    assert "baseline_model" in again["Evaluator"].outputs["blessing"]["metadata"]


def test_a_bad_parameter_ends_its_step_with_one_message(replay: Replay) -> None:
    done = replay.run({"as_of": "yesterday"}, only={"EventLogs", "Statistics"})
    [attempt] = done["EventLogs"].attempts
    assert attempt.code == 1 and "Traceback" not in attempt.log
    assert "parameter as_of: expected a moment" in attempt.lines[-1]["message"]
    assert done["Statistics"].attempts == []


def test_kfp_s_own_local_runner_takes_the_data_stages(
    replay: Replay, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same file by the judgement of Kubeflow's own code: its placeholders, its parameters, its executor inputs."""
    stages = {"EventLogs", "Statistics", "SchemaGen", "BaselineStatistics", "Validation"}
    spec = copy.deepcopy(replay.spec)
    tasks = spec["root"]["dag"]["tasks"]
    spec["root"]["dag"]["tasks"] = {name: task for name, task in tasks.items() if name in stages}
    handler = subprocess_task_handler.SubprocessTaskHandler
    # It is for Python functions with kfp's own entrypoint, and refuses or warns of everything else.
    monkeypatch.setattr(handler, "validate_not_container_component", lambda self, command: None)
    monkeypatch.setattr(handler, "validate_image", lambda self, image: None)

    def run_local_subprocess(full_command: list[str]) -> int:
        log = tmp_path / "log"
        return forked.start(full_command, PROJECT, log, log).wait()

    monkeypatch.setattr(subprocess_task_handler, "run_local_subprocess", run_local_subprocess)
    local.init(runner=local.SubprocessRunner(use_venv=False), pipeline_root=str(tmp_path), raise_on_error=True)
    kept = len(list((home / "shop" / "statistics").glob("*")))
    parsed = json_format.ParseDict(spec, pipeline_spec_pb2.PipelineSpec())
    pipeline_orchestrator.run_local_pipeline(parsed, api_server.start(spec, {}))
    assert len(list((home / "shop" / "statistics").iterdir())) == kept + 1
    assert [path.parent.name for path in tmp_path.rglob("anomalies/Split-*/SchemaDiff.pb")].count("Split-train") == 1
