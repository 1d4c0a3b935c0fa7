"""The compiled file: valid as the API server sees it, the same bytes each time, and everything of the recipe in it."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import forked
import pytest
import yaml
from kubeflow_replay import api_server

from models.recipe.checks.kubeflow import stages_of
from models.recipe.errors import InputError
from models.recipe.file import load_recipe
from models.recipe.kubeflow import (
    NEVER_CACHED,
    Gpu,
    InfraValidator,
    Kubeflow,
    Retries,
    SecretKey,
    StagePlace,
    Toleration,
)
from models.recipe.recipe import Recipe
from pipeline import dag
from pipeline.dag import create_pipeline
from pipeline.kubeflow.compile import COMMAND, Compiled, compile_recipe
from pipeline.kubeflow.platform import KubeflowPlatform
from pipeline.kubeflow.spec import pipeline_spec as specs
from pipeline.local_platform import LocalPlatform
from pipeline.run_paths import run_paths

PROJECT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashing the sources is most of a compile, and tested elsewhere."""
    monkeypatch.setattr(dag, "code_version", lambda *modules: "-".join(modules))


@pytest.fixture
def compiled(make_recipe: Callable[..., Recipe]) -> Compiled:
    return compile_recipe(make_recipe())


@pytest.fixture
def documents(compiled: Compiled, tmp_path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    (tmp_path / "pipeline.yaml").write_text(compiled.text, encoding="utf-8")
    return api_server.upload(tmp_path / "pipeline.yaml")


def test_two_compiles_in_two_places_are_the_same_bytes(recipe_file: Callable[..., Path], tmp_path: Path) -> None:
    """By the command line and by the runner; hashes of texts are seeded at random in either process."""
    outs, printed = [tmp_path / "0.yaml", tmp_path / "1.yaml"], tmp_path / "printed"
    there, here = ([str(recipe_file(folder=f"at-{number}")), "--out", str(out)] for number, out in enumerate(outs))
    cli = forked.start([sys.executable, "-m", "pipeline.cli", "compile", *there], PROJECT, printed, printed)
    assert cli.wait() == 0, printed.read_text()
    runner = subprocess.run(
        [sys.executable, "kubeflow/runner.py", *here],
        cwd=PROJECT,
        env={**os.environ, "PYTHONHASHSEED": "random", "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
    )
    assert runner.returncode == 0, runner.stderr
    files = [out.read_bytes() for out in outs]
    assert files[0] == files[1] and str(tmp_path).encode() not in files[0]


def test_the_shop_s_own_section_is_valid(tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text(compile_recipe(load_recipe(PROJECT / "recipes" / "shop.yaml")).text)
    spec, platform = api_server.upload(tmp_path / "shop.yaml")
    assert spec["pipelineInfo"]["name"] == "shop" and platform


def test_the_stages_are_those_that_the_recipe_can_name(
    make_recipe: Callable[..., Recipe], documents: tuple[dict[str, Any], dict[str, Any]], tmp_path: Path
) -> None:
    recipe = make_recipe()
    assert set(documents[0]["root"]["dag"]["tasks"]) == set(stages_of(recipe))
    (tmp_path / "schema.pbtxt").write_text('feature { name: "device" type: BYTES }\n')
    curated = make_recipe(validation={"schema": str(tmp_path / "schema.pbtxt")})
    ids = [component.id for component in create_pipeline(curated, KubeflowPlatform(curated)).components]
    assert sorted(ids) == sorted(stages_of(curated))


def test_the_same_stages_as_on_one_machine(make_recipe: Callable[..., Recipe], tmp_path: Path) -> None:
    recipe = make_recipe()
    here = LocalPlatform(run_paths(recipe, tmp_path))
    here.logs_fingerprint = here.truth_fingerprint = here.best_items_fingerprint = lambda *recipe: ""  # type: ignore[method-assign]
    local = {component.id for component in create_pipeline(recipe, here).components}
    renamed = {
        "baseline_model": "BaselineModel",
        "baseline_statistics": "BaselineStatistics",
        "retrieval_baseline": "RetrievalBaseline",
    }
    assert {renamed.get(name, name) for name in local} == set(stages_of(recipe))


@pytest.mark.parametrize("teacher", ["blessed", "ple"])
def test_a_blessed_teacher_stands_before_the_trainer(
    make_recipe: Callable[..., Recipe], tmp_path: Path, teacher: str
) -> None:
    """... here and on one machine; a teacher that the Trainer trains adds no stage."""
    recipe = make_recipe(training={"distill": {"teacher": teacher}})
    blessed = {"Teacher"} if teacher == "blessed" else set()
    cluster = {component.id: component for component in create_pipeline(recipe, KubeflowPlatform(recipe)).components}
    assert set(cluster) == set(stages_of(recipe)) and blessed == set(cluster) & {"Teacher"}
    here = LocalPlatform(run_paths(recipe, tmp_path))
    here.logs_fingerprint = here.truth_fingerprint = here.best_items_fingerprint = lambda *recipe: ""  # type: ignore[method-assign]
    local = {component.id: component for component in create_pipeline(recipe, here).components}
    assert set(local) & {"Teacher", "teacher_model"} == blessed | ({"teacher_model"} if blessed else set())
    for stages in (cluster, local):
        assert ("base_model" in stages["Trainer"].inputs) == bool(blessed)
        if blessed:
            assert stages["Trainer"].inputs["base_model"].producer_component_id == "Teacher"
            assert json.loads(stages["Teacher"].exec_properties["tasks"])["click"] == "binary"
    if blessed:
        assert cluster["Teacher"].exec_properties["served"] == "/gatewise/serving/shop"
        assert compile_recipe(recipe).text.count("--stage") == len(cluster)


def test_a_model_server_stands_between_probe_and_push_where_it_is_wanted(
    make_recipe: Callable[..., Recipe], documents: tuple[dict[str, Any], dict[str, Any]], tmp_path: Path
) -> None:
    recipe = make_recipe()
    assert recipe.kubeflow is not None
    server = InfraValidator(load_timeout="7m", tries=3)
    recipe = recipe.model_copy(update={"kubeflow": recipe.kubeflow.model_copy(update={"infra_validator": server})})
    (tmp_path / "pipeline.yaml").write_text(compile_recipe(recipe).text, encoding="utf-8")
    spec, platform = api_server.upload(tmp_path / "pipeline.yaml")
    tasks = spec["root"]["dag"]["tasks"]
    assert set(tasks) == {*documents[0]["root"]["dag"]["tasks"], "InfraValidator"} == set(stages_of(recipe))

    def producer(task: dict[str, Any], key: str) -> tuple[str, str]:
        artifact = task["inputs"]["artifacts"][key]["taskOutputArtifact"]
        return artifact["producerTask"], artifact["outputArtifactKey"]

    task = tasks["InfraValidator"]
    assert producer(task, "model") == ("Trainer", "model")
    assert producer(task, "infra_blessing") == ("Probe", "infra_blessing")
    assert producer(tasks["Pusher"], "infra_blessing") == ("InfraValidator", "blessing")
    assert producer(documents[0]["root"]["dag"]["tasks"]["Pusher"], "infra_blessing") == ("Probe", "infra_blessing")
    given = {key: value["runtimeValue"]["constant"] for key, value in task["inputs"]["parameters"].items()}
    assert given["scratch"] == "/gatewise/shop/infra_validator"
    assert json.loads(given["validation_spec"]) == {"max_loading_time_seconds": 420, "num_tries": 3}
    assert json.loads(given["serving_spec"]) == {
        "tensorflow_serving": {"image_name": "tensorflow/serving", "tags": ["2.19.1"]},
        "kubernetes": {"serving_pod_overrides": {"resources": {}}},
        "model_name": "shop",
    }
    pod = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]["InfraValidator_executor"]
    assert pod["fieldPathAsEnv"] == [{"name": "KFP_NAMESPACE", "fieldPath": "metadata.namespace"}]
    assert {mount["mountPath"] for mount in pod["pvcMount"]} == {"/gatewise", "/logs"}


def test_every_step_is_our_entrypoint_in_its_image(documents: tuple[dict[str, Any], dict[str, Any]]) -> None:
    spec, _ = documents
    for stage in spec["root"]["dag"]["tasks"]:
        container = spec["deploymentSpec"]["executors"][f"{stage}_executor"]["container"]
        assert container["command"] == list(COMMAND) and container["args"][:2] == ["--stage", stage]
        image = "registry.example.com/gatewise:1.0" + ("-gpu" if stage == "Trainer" else "")
        assert container["image"] == image


def test_a_stage_gets_what_the_recipe_says(documents: tuple[dict[str, Any], dict[str, Any]]) -> None:
    spec, platform = documents
    task = spec["root"]["dag"]["tasks"]["Trainer"]
    container = spec["deploymentSpec"]["executors"]["Trainer_executor"]["container"]
    pod = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]["Trainer_executor"]
    assert container["resources"] == {
        "resourceCpuRequest": "7500m",
        "resourceCpuLimit": "7500m",
        "resourceMemoryRequest": "32Gi",
        "resourceMemoryLimit": "32Gi",
        "accelerator": {"resourceType": "amd.com/gpu", "resourceCount": "4"},
    }
    assert container["env"] == [{"name": "PRECISION", "value": "low"}, {"name": "THREADS", "value": "2"}]
    assert task["retryPolicy"]["maxRetryCount"] == 7 and task["retryPolicy"]["backoffDuration"] == "60s"
    assert pod["nodeSelector"] == {"labels": {"pool": "gpu"}} and pod["activeDeadlineSeconds"] == "21600"
    assert [mount["mountPath"] for mount in pod["pvcMount"]] == ["/cache", "/gatewise", "/logs"]
    assert pod["tolerations"][0]["value"] == "present" and pod["secretAsEnv"][0]["keyToEnv"][0]["envVar"] == "TOKEN"


OTHER = {
    "pipeline_root": "gs://other",
    "root": "/gatewise/other",
    "data": "/logs/other",
    "image": "other",
    "defaults": {**{"cpu": 1}, "volumes": {"/gatewise": "a", "/logs": "b"}},
    "stages": {},
    "cpu": 1,
    "memory": "1Gi",
    "gpu": {"count": 1},
    "node_selector": {"a": "b"},
    "tolerations": [],
    "environment": {"X": "y"},
    "secrets": {"X": {"secret": "y", "key": "z"}},
    "volumes": {"/x": "y"},
    "retries": {"count": 1},
    "timeout": "1h",
    "caching": True,
    "infra_validator": {},
}
SERVER = {
    "image": "other:1",
    "cpu": 3,
    "memory": "3Gi",
    "service_account": "other",
    "annotations": {"a": "b"},
    "environment": {"X": "y"},
    "load_timeout": "9m",
    "tries": 7,
}
TOLERATION = {"key": "other", "operator": "Exists", "value": "other", "effect": "NoExecute"}
INNER: dict[str, tuple[type, Mapping[str, Any]]] = {
    "gpu": (Gpu, {"type": "other.com/gpu", "count": 3}),
    "retries": (Retries, {"count": 9, "backoff": "7s", "factor": 5, "max_backoff": "9m"}),
}


def test_no_key_of_the_section_is_without_effect(make_recipe: Callable[..., Recipe], compiled: Compiled) -> None:
    """Each key of each section, changed alone, changes the file; but `schedule`, which is not compiled (test_schedule.py)."""
    base = make_recipe()
    kubeflow, texts = base.kubeflow, {"": compiled.text}
    assert kubeflow is not None

    whole = kubeflow.model_dump()
    trainer = whole["stages"]["Trainer"]

    def with_trainer(**changes: Any) -> Kubeflow:
        return Kubeflow.model_validate(whole | {"stages": {"Trainer": trainer | changes}})

    def text(section: Kubeflow) -> str:
        return compile_recipe(base.model_copy(update={"kubeflow": section})).text

    for name in set(Kubeflow.model_fields) - {"schedule"}:
        texts[name] = text(Kubeflow.model_validate(whole | {name: OTHER[name]}))
    for name in StagePlace.model_fields:
        texts[f"stage.{name}"] = text(with_trainer(**{name: OTHER[name]}))
    for name, (section, others) in INNER.items():
        assert set(others) == set(section.model_fields)
        for key, other in others.items():
            inner = trainer[name] | {key: other}
            texts[f"{name}.{key}"] = text(with_trainer(**{name: inner}))
    assert set(TOLERATION) == set(Toleration.model_fields) and set(SecretKey.model_fields) == {"secret", "key"}
    [toleration] = trainer["tolerations"]
    for key, other in TOLERATION.items():
        texts[f"toleration.{key}"] = text(with_trainer(tolerations=[toleration | {key: other}]))
    for key in SecretKey.model_fields:
        secret = {"secret": "tracking", "key": "token"} | {key: "other"}
        texts[f"secret.{key}"] = text(with_trainer(secrets={"TOKEN": secret}))
    assert set(SERVER) == set(InfraValidator.model_fields)
    for key, other in SERVER.items():
        texts[f"infra_validator.{key}"] = text(Kubeflow.model_validate(whole | {"infra_validator": {key: other}}))
    same = [(one, other) for one in texts for other in texts if one < other and texts[one] == texts[other]]
    assert same == []


def test_parameters_keep_their_defaults(documents: tuple[dict[str, Any], dict[str, Any]]) -> None:
    spec, _ = documents
    assert api_server.start(spec, {}) == {"as_of": "2026-01-15T00:00:00Z", "epochs": 2, "seed": 1, "push": True}
    assert api_server.start(spec, {"seed": 3})["seed"] == 3
    task = spec["root"]["dag"]["tasks"]["Trainer"]
    assert task["inputs"]["parameters"]["seed"] == {"componentInputParameter": "seed"}


@pytest.mark.parametrize("given", [{"sead": 3}, {"seed": "3"}, {"push": 1}, {"as_of": 20260115}])
def test_a_run_with_a_wrong_parameter_is_not_started(
    given: dict[str, Any], documents: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    with pytest.raises(api_server.Refused, match=next(iter(given))):
        api_server.start(documents[0], given)


def test_only_what_may_be_cached_is(make_recipe: Callable[..., Recipe]) -> None:
    recipe = make_recipe()
    assert recipe.kubeflow is not None
    defaults = recipe.kubeflow.defaults.model_copy(update={"caching": True})
    kubeflow = recipe.kubeflow.model_copy(update={"defaults": defaults, "stages": {}})
    spec = next(yaml.safe_load_all(compile_recipe(recipe.model_copy(update={"kubeflow": kubeflow})).text))
    cached = {name: task.get("cachingOptions") for name, task in spec["root"]["dag"]["tasks"].items()}
    assert {name for name, options in cached.items() if options is None} == set(NEVER_CACHED) & set(cached)
    assert cached["Statistics"] == {"enableCache": True}


def test_the_data_are_where_the_pods_find_them(compiled: Compiled, documents: tuple[dict[str, Any], Any]) -> None:
    parameters = documents[0]["root"]["dag"]["tasks"]["EventLogs"]["inputs"]["parameters"]
    assert json.loads(parameters["plan"]["runtimeValue"]["constant"])["data"] == "/logs/shop"
    assert parameters["fingerprint"]["runtimeValue"]["constant"] == ""
    assert str(PROJECT) not in compiled.text


def test_a_name_that_kubeflow_does_not_take_is_made_one_that_it_takes(make_recipe: Callable[..., Recipe]) -> None:
    recipe = make_recipe(name="My_Shop2")
    compiled = compile_recipe(recipe)
    assert compiled.name == "my-shop2"
    assert '"base_directory": "/gatewise/serving/My_Shop2"' in compiled.text.replace('\\"', '"')


def test_without_volumes_there_is_one_document(make_recipe: Callable[..., Recipe]) -> None:
    recipe = make_recipe()
    bare = Kubeflow(pipeline_root="s3://b", root="/gatewise", data="/logs", image="image")
    compiled = compile_recipe(recipe.model_copy(update={"kubeflow": bare}))
    assert len(list(yaml.safe_load_all(compiled.text))) == 1


def test_a_recipe_without_the_section(make_recipe: Callable[..., Recipe]) -> None:
    with pytest.raises(
        InputError, match="the recipe has no section 'kubeflow': pipeline_root, root, data and image are"
    ):
        compile_recipe(make_recipe(kubeflow=None))


def test_a_plan_that_no_argument_holds_is_refused(
    make_recipe: Callable[..., Recipe], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(specs, "LARGEST_ARGUMENT", 25_000)
    with pytest.raises(InputError, match="its part of the recipe is .* bytes, but a process argument has at most 424"):
        compile_recipe(make_recipe())


BROKEN: dict[str, Callable[[dict[str, Any], dict[str, Any]], Any]] = {
    "unknown field": lambda spec, platform: spec.update(cron="0 0 3 * * *"),
    "unknown field that would be dropped": lambda spec, platform: spec["deploymentSpec"]["executors"][
        "Trainer_executor"
    ]["container"].update(gpu=1),
    "unknown field of a pod": lambda spec, platform: platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"][
        "Trainer_executor"
    ].update(timeout="6h"),
    "task name": lambda spec, platform: spec["root"]["dag"]["tasks"].update(
        baseline_model=spec["root"]["dag"]["tasks"]["BaselineModel"]
    ),
    "producer": lambda spec, platform: spec["root"]["dag"]["tasks"].pop("Statistics"),
    "parameter": lambda spec, platform: spec["root"]["inputDefinitions"]["parameters"].pop("seed"),
    "command": lambda spec, platform: spec["deploymentSpec"]["executors"]["Probe_executor"]["container"].pop("command"),
    "schema": lambda spec, platform: spec.update(schemaVersion="2.0.0"),
    "half a second": lambda spec, platform: spec["root"]["dag"]["tasks"]["Probe"]["retryPolicy"].update(
        backoffDuration="0.5s"
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_the_checks_of_the_api_server_find_what_is_broken(
    case: str, documents: tuple[dict[str, Any], dict[str, Any]], tmp_path: Path
) -> None:
    spec, platform = copy.deepcopy(documents)
    BROKEN[case](spec, platform)
    (tmp_path / "broken.yaml").write_text(yaml.safe_dump_all([spec, platform]))
    with pytest.raises(api_server.Refused):
        api_server.upload(tmp_path / "broken.yaml")
