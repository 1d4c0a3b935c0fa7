"""The section `kubeflow`: what a stage gets, and wrong values, each refused with file, line, key and what to write."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from models.recipe.checks.kubeflow import RETRIEVAL_STAGES, stages_of
from models.recipe.errors import InputError
from models.recipe.file import load_recipe, schema_text
from models.recipe.kubeflow import Gpu, Kubeflow, StagePlace, place_of

RECIPE = """\
name: census
examples: {path: a.parquet}
split: {eval_fraction: 0.2}
features: {age: {kind: numeric}}
tasks: {income: {kind: binary, label: {column: income}}}
kubeflow:
  pipeline_root: s3://recommender/pipelines
  root: /gatewise
  data: /logs/census
  image: registry.example.com/gatewise:1.0
  defaults:
    cpu: 2
    memory: 8Gi
    volumes: {/gatewise: gatewise-home, /logs: logs}
    environment: {THREADS: 2}
    retries: {count: 2, backoff: 30s, factor: 3, max_backoff: 5m}
  stages:
    Trainer:
      gpu: {type: nvidia.com/gpu, count: 1}
      memory: 32Gi
      node_selector: {pool: gpu}
      tolerations: [{key: nvidia.com/gpu, operator: Exists, effect: NoSchedule}]
      secrets: {TOKEN: {secret: registry, key: token}}
      timeout: 6h
    Statistics: {caching: true}
"""

LOGS = """\
logs:
  impressions: a
  streams:
    a: {path: a.csv, key: [user, item], time: {column: at, unit: s}}
    b: {path: b.csv, key: [user, item], time: {column: at, unit: s}}"""
RETRIEVAL = "retrieval: {user: user, item: item, positives: {income: 1.0}, history: 1}\n"

WRONG = {
    "unknown stage": (
        "    Trainer:",
        "    Trainr:",
        ["recipe.yaml:18: kubeflow.stages.Trainr: the pipeline has no stage 'Trainr'; did you mean 'Trainer'?"],
    ),
    "stage of another recipe": (
        "    Statistics: {caching: true}",
        "    CuratedSchema: {cpu: 1}",
        [":25: kubeflow.stages.CuratedSchema: the pipeline has no stage 'CuratedSchema'", "SchemaGen"],
    ),
    "unknown key": ("memory: 32Gi", "memry: 32Gi", [":20: kubeflow.stages.Trainer.memry", "did you mean 'memory'?"]),
    "cpu": ("cpu: 2", "cpu: two", [":12: kubeflow.defaults.cpu: expected a number of processors", "received 'two'"]),
    "memory": ("memory: 8Gi", "memory: 8", [":13: kubeflow.defaults.memory", "such as 512Mi or 16Gi; received 8"]),
    "gpus": ("count: 1}", "count: 0}", [":19: kubeflow.stages.Trainer.gpu.count:", "received 0"]),
    "gpu type": ("type: nvidia.com/gpu, c", "type: a b, c", [":19:", "gpu.type: expected the name of a resource"]),
    "pipeline root": (
        "s3://recommender/pipelines",
        "hdfs://recommender",
        [":7: kubeflow.pipeline_root: expected a bucket's URL that begins with s3://, gs:// or minio://"],
    ),
    "root": ("root: /gatewise", "root: gatewise", [":8: kubeflow.root: expected an absolute path in the pods"]),
    "data": ("data: /logs/census", "data: logs", [":9: kubeflow.data: expected an absolute path", "or a URL"]),
    "data at a URL of another kind": (
        "data: /logs/census",
        "data: hdfs://a/b",
        [":9: kubeflow.data:", "received 'hdfs://a/b'"],
    ),
    "image": ("gatewise:1.0", "Gate wise", [":10: kubeflow.image: expected an image's name"]),
    "duration": ("timeout: 6h", "timeout: 6", [":24: kubeflow.stages.Trainer.timeout", "such as 30m, 12h or 7d"]),
    "retries": ("count: 2,", "count: -1,", [":16: kubeflow.defaults.retries.count:", "received -1"]),
    "factor": ("factor: 3", "factor: 1.5", [":16: kubeflow.defaults.retries.factor:", "received 1.5"]),
    "waits": ("max_backoff: 5m", "max_backoff: 5s", [":16:", "the longest wait, 5s, is shorter than the first, 30s."]),
    "effect": ("effect: NoSchedule", "effect: Never", [":22:", "received 'Never'", "NoSchedule"]),
    "toleration's value": (
        "operator: Exists, effect",
        "operator: Exists, value: 1, effect",
        [":22: kubeflow.stages.Trainer.tolerations.0.value: the operator Exists takes no value"],
    ),
    "toleration without key": (
        "{key: nvidia.com/gpu, operator: Exists, effect: NoSchedule}",
        "{effect: NoSchedule}",
        [":22:", "the operator Equal needs a key"],
    ),
    "variable": ("{THREADS: 2}", "{TWO-THREADS: 2}", [":15:", "expected the name of an environment variable"]),
    "variable's value": ("{THREADS: 2}", "{THREADS: [2]}", [":15: kubeflow.defaults.environment.THREADS"]),
    "secret": ("secret: registry", "secret: The_Registry", [":23:", "the name of a Kubernetes object"]),
    "claim": ("/logs: logs}", "/logs: Logs}", [":14:", "the name of a Kubernetes object"]),
    "label": ("{pool: gpu}", "{'p ool': gpu}", [":21:", "expected the key of a label"]),
    "data on no volume": (
        "/gatewise: gatewise-home, /logs: logs",
        "/gatewise: gatewise-home, /log: logs",
        [
            ":9: kubeflow.data: no volume is mounted at /logs/census in the pods of EventLogs. Add volumes: {/logs/census: "
        ],
    ),
    "root on no volume": (
        "/gatewise: gatewise-home, /logs: logs",
        "/logs: logs",
        [
            ":8: kubeflow.root: no volume is mounted at /gatewise in the pods of BaselineStatistics, Validation, Trainer, References, Base"
        ],
    ),
    "ingestion from the cache": (
        "    Statistics: {caching: true}",
        "    EventLogs: {caching: true}",
        [":25: kubeflow.stages.EventLogs.caching: EventLogs is never cached"],
    ),
    "server without a version": (
        "kubeflow:\n",
        "kubeflow:\n  infra_validator: {image: 'registry:5000/serving'}\n",
        [":7: kubeflow.infra_validator.image: the image has neither tag nor digest", "registry:5000/serving:2.19.1"],
    ),
    "no try": (
        "kubeflow:\n",
        "kubeflow:\n  infra_validator: {tries: 0}\n",
        [":7: kubeflow.infra_validator.tries:", "received 0"],
    ),
    "resources of the server": (
        "kubeflow:\n",
        "kubeflow:\n  infra_validator: {memory: 2}\n",
        [":7: kubeflow.infra_validator.memory", "such as 512Mi or 16Gi; received 2"],
    ),
    "server without the volume": (
        "  defaults:\n    cpu: 2\n    memory: 8Gi\n    volumes: {/gatewise: gatewise-home, /logs: logs}",
        "  infra_validator: {}\n  defaults:\n    cpu: 2\n    memory: 8Gi\n    volumes: {/logs: logs}",
        [
            ":8: kubeflow.root: no volume is mounted at /gatewise in the pods of",
            "Trainer, References, BaselineModel, InfraValidator, Pusher.",
        ],
    ),
    "stage that is not switched on": (
        "    Statistics: {caching: true}",
        "    InfraValidator: {cpu: 1}",
        [":25: kubeflow.stages.InfraValidator: the pipeline has no stage 'InfraValidator'"],
    ),
    "missing key": ("  root: /gatewise\n", "", ["kubeflow: the key 'root' is missing."]),
    "schedule's moment without logs": (
        "  root: /gatewise\n",
        "  root: /gatewise\n  schedule: {cron: 0 3 * * *, parameters: {as_of: latest}}\n",
        [":9: kubeflow.schedule.parameters.as_of: as_of applies to logs"],
    ),
    "variable twice": (
        "secrets: {TOKEN:",
        "environment: {TOKEN: a}\n      secrets: {TOKEN:",
        ["kubeflow.stages.Trainer.secrets.TOKEN: the variable is also set in 'environment'."],
    ),
}


def kubeflow(tmp_path: Path, text: str = RECIPE) -> Kubeflow:
    (tmp_path / "recipe.yaml").write_text(text)
    section = load_recipe(tmp_path / "recipe.yaml").kubeflow
    assert section is not None
    return section


@pytest.mark.parametrize("case", WRONG)
def test_wrong_values_are_refused_where_they_stand(case: str, tmp_path: Path) -> None:
    old, new, words = WRONG[case]
    assert RECIPE.count(old) == 1
    with pytest.raises(InputError) as error:
        kubeflow(tmp_path, RECIPE.replace(old, new))
    for word in words:
        assert word in str(error.value), f"{word!r} is not in: {error.value}"


def test_a_stage_s_own_values_stand_over_the_defaults(tmp_path: Path) -> None:
    section = kubeflow(tmp_path)
    trainer, features = place_of(section, "Trainer"), place_of(section, "Features")
    assert (trainer.cpu, trainer.memory, trainer.gpu) == ("2", "32Gi", Gpu(type="nvidia.com/gpu", count=1))
    assert (features.cpu, features.memory, features.gpu) == ("2", "8Gi", None)
    assert trainer.image == features.image == "registry.example.com/gatewise:1.0"
    assert trainer.timeout == datetime.timedelta(hours=6) and features.timeout is None
    assert trainer.retries == features.retries and trainer.retries.count == 2


def test_mappings_are_merged_key_by_key() -> None:
    section = Kubeflow(
        pipeline_root="gs://bucket",
        root="/r",
        data="/d",
        image="image",
        defaults=StagePlace(environment={"A": "1", "B": "2"}, volumes={"/r": "home"}, image="default"),
        stages={"Probe": StagePlace(environment={"B": "3"}, volumes={"/x": "more"}, image="own")},
    )
    probe = place_of(section, "Probe")
    assert probe.environment == {"A": "1", "B": "3"} and probe.volumes == {"/r": "home", "/x": "more"}
    assert (probe.image, place_of(section, "Trainer").image) == ("own", "default")


def test_what_depends_on_folders_is_never_cached_even_by_default() -> None:
    section = Kubeflow(
        pipeline_root="gs://bucket", root="/r", data="/d", image="image", defaults=StagePlace(caching=True)
    )
    cached = {stage: place_of(section, stage).caching for stage in ("EventLogs", "BaselineModel", "Statistics")}
    assert cached == {"EventLogs": False, "BaselineModel": False, "Statistics": True}


def test_the_stages_have_names_of_argo(tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    assert all(name.isalnum() and name[0].isalpha() for name in stages_of(load_recipe(tmp_path / "recipe.yaml")))


def test_a_retrieval_model_has_stages_of_its_own(tmp_path: Path) -> None:
    text = RECIPE.replace("examples: {path: a.parquet}", LOGS).replace(
        "label: {column: income}", "outcome: b, window: 1d"
    )
    text = text.replace("{age:", "{item: {kind: categorical, side: item}, age:")
    (tmp_path / "recipe.yaml").write_text(text)
    before = stages_of(load_recipe(tmp_path / "recipe.yaml"))
    (tmp_path / "recipe.yaml").write_text(text + "    RetrievalTrainer: {gpu: {}}\n" + RETRIEVAL)
    recipe = load_recipe(tmp_path / "recipe.yaml")
    stages = stages_of(recipe)
    assert [stage for stage in stages if stage not in before] == list(RETRIEVAL_STAGES)
    assert [stage for stage in stages if stage in before] == list(before)
    assert all(stage.isalnum() for stage in stages)
    assert recipe.kubeflow is not None and place_of(recipe.kubeflow, "RetrievalBaseline").caching is False
    with pytest.raises(InputError, match="the pipeline has no stage 'RetrievalTrainer'"):
        kubeflow(tmp_path, text + "    RetrievalTrainer: {gpu: {}}\n")
    # Those that read or write below the root need its volume; the evaluation, which works in its pod alone, does not.
    with pytest.raises(InputError, match="of .*Trainer.* RetrievalTrainer, RetrievalBaseline, RetrievalPusher, Pusher"):
        kubeflow(tmp_path, text.replace("/gatewise: gatewise-home, ", "") + RETRIEVAL)


def test_the_evaluation_of_the_truly_best_items_reads_the_data(tmp_path: Path) -> None:
    text = RECIPE.replace("examples: {path: a.parquet}", LOGS).replace(
        "label: {column: income}", "outcome: b, window: 1d"
    )
    text = (
        text.replace("{age:", "{item: {kind: categorical, side: item}, age:").replace("/logs: ", "/other: ") + RETRIEVAL
    )
    truth = text.replace("history: 1", "history: 1, truth: {path: best/*, user: u, item: i, value: v}")
    for one, stages in ((text, "EventLogs"), (truth, "EventLogs, RetrievalEvaluator")):
        with pytest.raises(InputError, match=f"no volume is mounted at /logs/census in the pods of {stages}\\. Add"):
            kubeflow(tmp_path, one)


def test_the_schema_for_editors_accepts_what_the_recipe_accepts() -> None:
    jsonschema.validate(yaml.safe_load(RECIPE), json.loads(schema_text()))
    for wrong in (("cpu: 2", "cpus: 2"), ("count: 1}", "count: 0}")):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(yaml.safe_load(RECIPE.replace(*wrong)), json.loads(schema_text()))


@pytest.mark.parametrize("gate", ["{metric: auc, max_loss_to_best: 0.1}", "{metric: auc, at_least: 0.1}"])
def test_the_evaluation_keeps_the_best_values_on_the_volume_of_root(gate: str, tmp_path: Path) -> None:
    text = RECIPE.replace("label: {column: income}", f"label: {{column: income}}, gates: [{gate}]")
    (tmp_path / "recipe.yaml").write_text(text.replace("/gatewise: gatewise-home, /logs", "/logs"))
    with pytest.raises(InputError, match="no volume is mounted at /gatewise in the pods of") as error:
        load_recipe(tmp_path / "recipe.yaml")
    assert ("Evaluator" in str(error.value)) is ("best" in gate)
