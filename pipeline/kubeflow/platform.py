"""The platform of `gatewise compile`: pods with the logs and a folder on mounted volumes, without a metadata store."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from tfx import types
from tfx.dsl.components.base import base_node
from tfx.proto import infra_validator_pb2

from components.baselines.component import BaselineModel, BaselineStatistics
from components.infra_validator.component import InfraValidator
from models.recipe import kubeflow
from models.recipe.night import Night
from models.recipe.recipe import Recipe
from models.recipe.retrieval import SUFFIX
from models.recipe.spans import LATEST
from pipeline.beam_flags import beam_flags
from pipeline.code_version import code_version
from pipeline.kubeflow.night import Night as NightStage
from pipeline.kubeflow.night_plans import STAND_IN
from pipeline.kubeflow.spec.section import kubeflow_of, pipeline_name
from pipeline.platforms import Platform

SCHEDULE_TIME = "{{$.pipeline_job_schedule_time_utc}}"
"""Kubeflow's driver replaces it by the moment for which the run is scheduled; old versions do not."""


class KubeflowPlatform(Platform):
    """Kubeflow Pipelines.

    Assembly reads no data; the pods do. Logs therefore have no fingerprint: each stage lists its files when it starts, and
    checks them again after reading. Ingestion never comes from the cache (`models.recipe.kubeflow.NEVER_CACHED`).

    Args:
        recipe: a recipe with a section `kubeflow`.
    """

    def __init__(self, recipe: Recipe) -> None:
        self._kubeflow = kubeflow_of(recipe)
        root, name = PurePosixPath(self._kubeflow.root), recipe.serving.model_name or recipe.name
        self.served = str(root / "serving" / name)
        self.served_retrieval = self.served + SUFFIX
        self.states = str(root / "states" / name)
        self.kept_statistics = str(root / recipe.name / "statistics")
        self.kept_best = str(root / recipe.name / "best") if recipe.asks_for_best else ""
        self.trainer_options = {"checkpoints": str(root / recipe.name / "checkpoints")}

    def first_nodes(self, recipe: Recipe) -> tuple[base_node.BaseNode, ...]:
        """See `Platform`. With `logs.span`, the stage that tells the others the day of the run."""
        if recipe.logs is None or recipe.logs.span is None:
            return ()
        given = recipe.model_copy(update={"kubeflow": None})
        return (
            NightStage(
                recipe=given.model_dump_json(by_alias=True, exclude_unset=True),
                day=LATEST,
                scheduled=SCHEDULE_TIME,
                served=self.served,
                states=self.states,
            ),
        )

    def night(self, recipe: Recipe) -> Night | None:
        """See `Platform`. A stand-in: the stage Night makes the plans."""
        return Night(day=STAND_IN, cold_day=STAND_IN) if recipe.training.start == "warm" else None

    def logs_fingerprint(self, recipe: Recipe, night: Night | None) -> str:
        """See `Platform`."""
        return ""

    def truth_fingerprint(self, recipe: Recipe) -> str:
        """See `Platform`."""
        return ""

    def best_items_fingerprint(self, recipe: Recipe) -> str:
        """See `Platform`."""
        return ""

    def baseline_statistics(self, statistics: types.BaseChannel, every: int) -> base_node.BaseNode:
        """See `Platform`."""
        return BaselineStatistics(candidate=statistics, kept=self.kept_statistics, every=every)

    def baseline_model(self, model: types.BaseChannel) -> base_node.BaseNode:
        """See `Platform`."""
        return BaselineModel(candidate=model, served=self.served)

    def teacher_model(self, examples: types.BaseChannel) -> None:
        """See `Platform`. None: each run has new examples, so the newest pushed version is older."""

    def baseline_retrieval(self, model: types.BaseChannel) -> base_node.BaseNode:
        """See `Platform`."""
        return BaselineModel(candidate=model, served=self.served_retrieval).with_id("RetrievalBaseline")

    def infra_validator(
        self, recipe: Recipe, model: types.BaseChannel, infra_blessing: types.BaseChannel
    ) -> base_node.BaseNode | None:
        """See `Platform`. Used only if the recipe enables it."""
        server = self._kubeflow.infra_validator
        if server is None:
            return None
        return InfraValidator(
            model=model,
            infra_blessing=infra_blessing,
            serving_spec=serving_spec(server, recipe.serving.model_name or recipe.name),
            validation_spec=infra_validator_pb2.ValidationSpec(
                max_loading_time_seconds=int(server.load_timeout.total_seconds()), num_tries=server.tries
            ),
            scratch=str(PurePosixPath(self._kubeflow.root) / recipe.name / "infra_validator"),
            code=code_version("components.infra_validator.executor"),
        )

    def pipeline_options(self, recipe: Recipe) -> dict[str, Any]:
        """See `Platform`. `spec` sets caching per stage."""
        return {
            "pipeline_name": pipeline_name(recipe),
            "pipeline_root": self._kubeflow.pipeline_root,
            "enable_cache": False,
            "beam_pipeline_args": beam_flags(recipe.beam, self._kubeflow.image),
        }


def serving_spec(server: kubeflow.InfraValidator, model_name: str) -> infra_validator_pb2.ServingSpec:
    """TFX's serving spec for the recipe's server.

    Args:
        server: the recipe's section.
        model_name: name under which the server serves the model.
    """
    name, _, digest = server.image.partition("@")
    image, _, tag = name.rpartition(":")
    binary = infra_validator_pb2.TensorFlowServing(
        image_name=name if digest else image,
        **({"digests": [digest]} if digest else {"tags": [tag]}),
    )
    quantities = {key: value for key, value in (("cpu", server.cpu), ("memory", server.memory)) if value is not None}
    overrides = infra_validator_pb2.PodOverrides(
        annotations=dict(server.annotations),
        env=[infra_validator_pb2.EnvVar(name=key, value=value) for key, value in sorted(server.environment.items())],
        resources=infra_validator_pb2.Resources(requests=quantities, limits=quantities),
    )
    return infra_validator_pb2.ServingSpec(
        tensorflow_serving=binary,
        kubernetes=infra_validator_pb2.KubernetesConfig(
            service_account_name=server.service_account or "", serving_pod_overrides=overrides
        ),
        model_name=model_name,
    )
