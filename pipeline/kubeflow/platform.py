"""The platform of `gatewise compile`: pods that see the logs and a folder on mounted volumes, and no metadata store."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from tfx import types
from tfx.dsl.components.base import base_node

from components.baselines.component import BaselineModel, BaselineStatistics
from models.recipe import Recipe
from pipeline.beam_flags import beam_flags
from pipeline.kubeflow.section import kubeflow_of, pipeline_name
from pipeline.platforms import Platform


class KubeflowPlatform(Platform):
    """Kubeflow Pipelines.

    Nothing is looked up or read at assembly: the pods do it. So logs have no fingerprint, and the ingestion never comes
    from the cache (`models.recipe_kubeflow.NEVER_CACHED`).

    Args:
        recipe: with a section `kubeflow`.
    """

    def __init__(self, recipe: Recipe) -> None:
        self._kubeflow = kubeflow_of(recipe)
        root = PurePosixPath(self._kubeflow.root)
        self.served = str(root / "serving" / (recipe.serving.model_name or recipe.name))
        self.kept_statistics = str(root / recipe.name / "statistics")
        self.trainer_options = {"backups": str(root / recipe.name / "backups")}

    def logs_fingerprint(self, recipe: Recipe) -> str:
        """See `Platform`."""
        return ""

    def truth_fingerprint(self, recipe: Recipe) -> str:
        """See `Platform`."""
        return ""

    def baseline_statistics(self, statistics: types.BaseChannel) -> base_node.BaseNode:
        """See `Platform`."""
        return BaselineStatistics(candidate=statistics, kept=self.kept_statistics)

    def baseline_model(self, model: types.BaseChannel) -> base_node.BaseNode:
        """See `Platform`."""
        return BaselineModel(candidate=model, served=self.served)

    def pipeline_options(self, recipe: Recipe) -> dict[str, Any]:
        """See `Platform`. Caching is set for each stage later."""
        return {
            "pipeline_name": pipeline_name(recipe),
            "pipeline_root": self._kubeflow.pipeline_root,
            "enable_cache": False,
            "beam_pipeline_args": beam_flags(recipe.beam, self._kubeflow.image),
        }
