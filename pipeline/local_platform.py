"""The platform of `gatewise run`: this machine, with local files and a metadata store of earlier runs."""

from __future__ import annotations

from typing import Any

from tfx import types
from tfx.dsl.components.base import base_node
from tfx.orchestration.metadata import sqlite_metadata_connection_config

from components.evaluation.baseline import baseline_model_resolver
from components.evaluation.plan import truth_fingerprint
from components.event_logs.fingerprint import fingerprint
from components.push.nights import night_of
from components.push.withdrawn import fingerprint as fingerprint_of_withdrawn
from components.retrieval_evaluation.plan import best_items_fingerprint
from components.validation.baseline import baseline_statistics_resolver
from models.recipe.night import Night
from models.recipe.recipe import Recipe
from pipeline.beam_flags import beam_flags
from pipeline.platforms import Platform
from pipeline.run_paths import RunPaths


class LocalPlatform(Platform):
    """This machine.

    Args:
        paths: folders of metadata, artifacts and pushed versions.
        push: whether a blessed model is pushed.
    """

    def __init__(self, paths: RunPaths, push: bool = True) -> None:
        self._paths = paths
        self.push = push
        self.served = str(paths.served)
        self.served_retrieval = str(paths.served_retrieval)
        self.states = str(paths.states)
        self.withdrawn = fingerprint_of_withdrawn(self.served, self.served_retrieval)

    def logs_fingerprint(self, recipe: Recipe, night: Night | None) -> str:
        """See `Platform`. Taken at assembly, because TFX's cache does not detect new content under the same path."""
        return fingerprint(recipe, night)

    def night(self, recipe: Recipe) -> Night | None:
        """See `Platform`."""
        return night_of(recipe, self._paths.served, self._paths.states)

    def truth_fingerprint(self, recipe: Recipe) -> str:
        """See `Platform`."""
        return truth_fingerprint(recipe)

    def best_items_fingerprint(self, recipe: Recipe) -> str:
        """See `Platform`."""
        return best_items_fingerprint(recipe)

    def baseline_statistics(self, statistics: types.BaseChannel, every: int) -> base_node.BaseNode:
        """See `Platform`."""
        return baseline_statistics_resolver(statistics, every)

    def baseline_model(self, model: types.BaseChannel) -> base_node.BaseNode:
        """See `Platform`."""
        return baseline_model_resolver(model)

    def teacher_model(self, examples: types.BaseChannel) -> base_node.BaseNode:
        """See `Platform`. Older than the examples: a model that this run blesses is not the teacher of the next run on the same
        examples, which would otherwise train again each time."""
        return baseline_model_resolver(examples, "teacher_model", "Trainer")

    def baseline_retrieval(self, model: types.BaseChannel) -> base_node.BaseNode:
        """See `Platform`."""
        return baseline_model_resolver(model, "retrieval_baseline")

    def infra_validator(
        self, recipe: Recipe, model: types.BaseChannel, infra_blessing: types.BaseChannel
    ) -> base_node.BaseNode | None:
        """See `Platform`. None: without TensorFlow Serving, the probe's process is the only check."""
        return None

    def pipeline_options(self, recipe: Recipe) -> dict[str, Any]:
        """See `Platform`."""
        return {
            "pipeline_name": recipe.name,
            "pipeline_root": str(self._paths.artifacts),
            "enable_cache": True,
            "metadata_connection_config": sqlite_metadata_connection_config(str(self._paths.metadata)),
            "beam_pipeline_args": beam_flags(recipe.beam, "gatewise"),
        }
