"""The section `kubeflow` of a recipe: the cluster, and the resources of each stage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import pydantic
from pydantic import Field

from models.recipe.kubernetes_names import Object, matches
from models.recipe.quantities import Cpu, Memory
from models.recipe.schedule import Schedule
from models.recipe.section import DATA, Number, Section
from models.recipe.units import Duration

NEVER_CACHED = ("Night", "EventLogs", "BaselineStatistics", "BaselineModel", "RetrievalBaseline", "Teacher")
"""Stages whose result depends on folders that Kubeflow's cache does not inspect."""

_LABEL_KEY = r"^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$"


def _text(value: object) -> object:
    """Converts a number to text. The type refuses any other value."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


Root = Annotated[
    str, matches(r"(s3|gs|minio)://[a-z0-9][^\s]*", "a bucket's URL that begins with s3://, gs:// or minio://")
]
Folder = Annotated[str, matches(r"/[^\s:]*", "an absolute path in the pods, such as /gatewise")]
DataFolder = Annotated[
    str,
    matches(
        r"(/|(s3|gs|minio)://[a-z0-9])[^\s]*",
        "an absolute path in the pods, such as /logs, or a URL of s3://, gs:// or minio://",
    ),
]
Image = Annotated[
    str,
    matches(
        r"[a-z0-9][a-z0-9._/:-]*(:[\w][\w.-]{0,127})?(@sha256:[0-9a-f]{64})?",
        "an image's name, such as registry.example.com/gatewise:1.0",
    ),
]
Variable = Annotated[str, matches(r"[A-Za-z_][A-Za-z0-9_]*", "the name of an environment variable")]
LabelKey = Annotated[str, matches(_LABEL_KEY, "the key of a label, such as cloud.google.com/gke-accelerator")]
Text = Annotated[
    str, pydantic.BeforeValidator(_text), pydantic.WithJsonSchema({"type": ["string", "number"], "format": DATA})
]


class Gpu(Section):
    """The accelerators of one pod."""

    type: Annotated[str, matches(_LABEL_KEY, "the name of a resource, such as nvidia.com/gpu")] = Field(
        default="nvidia.com/gpu", description="Resource name, as the device plugin reports it."
    )
    count: Annotated[int, Field(ge=1, le=64), Number] = Field(
        default=1, description="Number of accelerators.", examples=[1]
    )


class Toleration(Section):
    """A taint that the pods tolerate, as in Kubernetes."""

    key: LabelKey | None = Field(default=None, description="Key of the taint.", examples=["nvidia.com/gpu"])
    operator: Literal["Equal", "Exists"] = Field(default="Equal", description="How key and value are compared.")
    value: Text | None = Field(default=None, description="Value of the taint.", examples=["present"])
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = Field(
        default=None, description="Effect of the taint. By default any effect.", examples=["NoSchedule"]
    )


class SecretKey(Section):
    """One entry of a Kubernetes secret."""

    secret: Object = Field(description="Name of the secret.", examples=["warehouse"])
    key: Annotated[str, matches(r"[-._A-Za-z0-9]+", "a key of a secret")] = Field(
        description="Key in the secret.", examples=["password"]
    )


class Retries(Section):
    """What happens if a pod fails or is evicted."""

    count: Annotated[int, Field(ge=0, le=100), Number] = Field(
        default=3, description="Maximum number of further attempts. 0: none.", examples=[5]
    )
    backoff: Duration = Field(
        default="30s", validate_default=True, description="Wait before the first further attempt.", examples=["1m"]
    )
    factor: Annotated[int, Field(ge=1, le=10), Number] = Field(
        default=2, description="Factor by which each further wait grows."
    )
    max_backoff: Duration = Field(default="10m", validate_default=True, description="Longest wait.", examples=["30m"])


class StagePlace(Section):
    """Resources and environment of a stage's pods. A stage inherits the keys that it leaves out from `defaults`; mappings are merged key by key."""

    image: Image | None = Field(
        default=None, description="Container image.", examples=["registry.example.com/gatewise:1.0"]
    )
    cpu: Cpu | None = Field(default=None, description="CPU request and limit.", examples=["500m"])
    memory: Memory | None = Field(default=None, description="Memory request and limit.", examples=["16Gi"])
    gpu: Gpu | None = Field(
        default=None, description="Accelerators.", examples=[{"type": "nvidia.com/gpu", "count": 1}]
    )
    node_selector: Mapping[LabelKey, Text] = Field(
        default={}, description="Labels that the node must have.", examples=[{"pool": "gpu"}]
    )
    tolerations: tuple[Toleration, ...] | None = Field(
        default=None,
        description="Node taints that the pods tolerate.",
        examples=[[{"key": "nvidia.com/gpu", "operator": "Exists"}]],
    )
    environment: Mapping[Variable, Text] = Field(
        default={}, description="Environment variables.", examples=[{"TF_NUM_INTRAOP_THREADS": "8"}]
    )
    secrets: Mapping[Variable, SecretKey] = Field(
        default={},
        description="Environment variables from Kubernetes secrets: name -> secret and key.",
        examples=[{"DB_PASSWORD": {"secret": "warehouse", "key": "password"}}],
    )
    volumes: Mapping[Folder, Object] = Field(
        default={},
        description="Volumes: folder in the pods -> persistent volume claim.",
        examples=[{"/gatewise": "gatewise-home"}],
    )
    retries: Retries | None = Field(default=None, description="What happens if a pod fails.", examples=[{"count": 5}])
    timeout: Duration | None = Field(default=None, description="Longest time that a pod may run.", examples=["6h"])
    caching: bool | None = Field(
        default=None,
        description="Whether Kubeflow may reuse the result of a step with the same inputs and parameters. EventLogs and the "
        "stages that look for baselines are never cached, because the cache does not see changes in folders.",
        examples=[True],
    )


class InfraValidator(Section):
    """Before a push, a pod of TensorFlow Serving loads the model and answers requests of real rows. TFX's InfraValidator runs it.

    During the check the model is below `root`, on a volume that the server's pod mounts as well. The claim of that
    volume must be ReadWriteMany. The service account of the steps must be allowed to get, create and delete pods
    and to get claims.
    """

    image: Image = Field(
        default="tensorflow/serving:2.19.1",
        description="Image of the server as in production, with a tag or a digest.",
        examples=["registry.example.com/serving:2.19.1"],
    )
    cpu: Cpu | None = Field(default=None, description="CPU request and limit of the server.", examples=[2])
    memory: Memory | None = Field(default=None, description="Memory request and limit of the server.", examples=["4Gi"])
    service_account: Object | None = Field(
        default=None,
        description="Service account of the server's pod. By default that of the step.",
        examples=["serving"],
    )
    annotations: Mapping[LabelKey, Text] = Field(
        default={}, description="Annotations of the server's pod.", examples=[{"sidecar.istio.io/inject": "false"}]
    )
    environment: Mapping[Variable, Text] = Field(
        default={}, description="Environment variables of the server.", examples=[{"TF_NUM_INTRAOP_THREADS": "4"}]
    )
    load_timeout: Duration = Field(
        default="5m",
        validate_default=True,
        description="Longest time from the start of the pod until the model is loaded.",
        examples=["10m"],
    )
    tries: Annotated[int, Field(ge=1, le=10), Number] = Field(
        default=2, description="Number of server starts before the model is refused.", examples=[1]
    )


class Kubeflow(Section):
    """Where the pipeline runs on Kubeflow Pipelines. `gatewise compile` writes all of it into one file."""

    pipeline_root: Root = Field(
        description="Bucket for the artifacts of all runs: a URL that begins with `s3://`, `gs://` or `minio://`.",
        examples=["s3://recommender/pipelines"],
    )
    root: Folder = Field(
        description="Folder in the pods on a mounted volume that outlives them; it corresponds to `--root` on one machine. It "
        "holds pushed versions in `serving/`, statistics for drift detection and the trainer's checkpoints.",
        examples=["/gatewise"],
    )
    data: DataFolder = Field(
        description="Data files as the pods see them; replaces the recipe's `data`. A folder on a mounted volume, or a URL "
        "that begins with `s3://`, `gs://` or `minio://`.",
        examples=["/logs/shop"],
    )
    image: Image = Field(
        description="Container image of every stage that does not set its own.",
        examples=["registry.example.com/gatewise:1.0"],
    )
    defaults: StagePlace = Field(
        default=StagePlace(), description="Settings of every stage.", examples=[{"cpu": 2, "memory": "8Gi"}]
    )
    stages: Mapping[str, StagePlace] = Field(
        default={},
        description="Settings of single stages, by stage name: Night (with `logs.span`), EventLogs, Statistics, SchemaGen (with `validation.schema`: "
        "CuratedSchema), BaselineStatistics, Validation, Features, Teacher, Trainer, References, BaselineModel, Evaluator, "
        "Probe, InfraValidator, Interactions, RetrievalTrainer, RetrievalBaseline, RetrievalEvaluator, RetrievalPusher, Pusher.",
        examples=[{"Trainer": {"gpu": {"count": 1}, "memory": "32Gi"}}],
    )
    schedule: Schedule | None = Field(
        default=None,
        description="When the pipeline runs by itself. Only `gatewise schedule create` reads it. `--schedule FILE` reads it "
        "from another file.",
        examples=[{"cron": "0 3 * * *"}],
    )
    infra_validator: InfraValidator | None = Field(
        default=None,
        description="Let TensorFlow Serving load each model before the push. `{}`: all defaults.",
        examples=[{"image": "tensorflow/serving:2.19.1"}],
    )


def place_of(kubeflow: Kubeflow, stage: str) -> StagePlace:
    """Resources of the pods of `stage`: its own values override the defaults, mappings key by key, and the image is last."""
    own = kubeflow.stages.get(stage, StagePlace())
    merged: dict[str, Any] = {}
    for name in StagePlace.model_fields:
        default, value = getattr(kubeflow.defaults, name), getattr(own, name)
        if isinstance(default, Mapping):
            merged[name] = {**default, **value}
        else:
            merged[name] = default if value is None else value
    merged["image"] = merged["image"] or kubeflow.image
    if stage in NEVER_CACHED:
        merged["caching"] = False
    return StagePlace.model_construct(**merged)
