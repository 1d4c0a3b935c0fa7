"""Compiles a recipe into one file for Kubeflow Pipelines. The same recipe gives the same bytes."""

from __future__ import annotations

import dataclasses
import hashlib

import yaml
from google.protobuf import json_format
from kfp.kubernetes import kubernetes_executor_config_pb2
from kfp.pipeline_spec import pipeline_spec_pb2
from tfx.orchestration.kubeflow.v2.kubeflow_v2_dag_runner import KubeflowV2DagRunner, KubeflowV2DagRunnerConfig

from models.recipe.recipe import Recipe
from pipeline.dag import create_pipeline
from pipeline.kubeflow.night_plans import on_stand_in
from pipeline.kubeflow.platform import KubeflowPlatform
from pipeline.kubeflow.spec.parameters import parameters_of
from pipeline.kubeflow.spec.pipeline_spec import Document, mended
from pipeline.kubeflow.spec.section import kubeflow_of

COMMAND = ("python3", "-m", "pipeline.kubeflow.entrypoint")


@dataclasses.dataclass(frozen=True)
class Compiled:
    """A compiled pipeline.

    Attributes:
        name: name of the pipeline on Kubeflow.
        text: content of the file: the pipeline spec and, if a stage needs it, the platform spec as a second YAML document.
        parameters: the parameters of a run and their defaults.
    """

    name: str
    text: str
    parameters: dict[str, str | int | bool]

    @property
    def version(self) -> str:
        """Hash of the content, 12 hexadecimal digits."""
        return hashlib.sha256(self.text.encode("utf-8")).hexdigest()[:12]


def compile_recipe(recipe: Recipe) -> Compiled:
    """Compiles the pipeline of `pipeline/dag.py` for Kubeflow.

    Raises:
        InputError: the recipe has no section `kubeflow`, or a stage's part of it is too large.
    """
    kubeflow = kubeflow_of(recipe)
    recipe = recipe.model_copy(update={"data": kubeflow.data})
    parameters = {key: default for key, (_, default) in parameters_of(recipe).items()}
    config = KubeflowV2DagRunnerConfig(
        default_image=kubeflow.image, default_commands=list(COMMAND), use_pipeline_spec_2_1=True
    )
    pipeline = create_pipeline(on_stand_in(recipe), KubeflowPlatform(recipe))
    spec, platform = mended(KubeflowV2DagRunner(config).run(pipeline, write_out=False)["pipelineSpec"], recipe)
    check(spec, platform)
    documents = [spec] if platform is None else [spec, platform]
    name = spec["pipelineInfo"]["name"]
    head = f"# {name}: compiled by gatewise from a recipe. Change the recipe, not this file.\n"
    text = head + yaml.safe_dump_all(documents, sort_keys=True, allow_unicode=True, width=1_000_000)
    return Compiled(name, text, parameters)


def check(spec: Document, platform: Document | None) -> None:
    """Parses both documents strictly, including the deployment spec, in which Kubeflow silently ignores unknown fields.

    Raises:
        json_format.ParseError: Kubeflow does not know a field. This is a defect of gatewise.
    """
    json_format.ParseDict(spec, pipeline_spec_pb2.PipelineSpec())
    json_format.ParseDict(spec["deploymentSpec"], pipeline_spec_pb2.PipelineDeploymentConfig())
    if platform is not None:
        json_format.ParseDict(platform, pipeline_spec_pb2.PlatformSpec())
        for executor in platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"].values():
            json_format.ParseDict(executor, kubernetes_executor_config_pb2.KubernetesExecutorConfig())
