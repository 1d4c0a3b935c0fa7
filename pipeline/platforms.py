"""What a pipeline asks of the place where it runs. All else in `pipeline/dag.py` is the same everywhere."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from tfx import types
from tfx.dsl.components.base import base_node

from models.recipe.recipe import Recipe


class Platform(abc.ABC):
    """One machine, or a cluster.

    Attributes:
        served: folder of the pushed versions, as the push sees it.
        served_retrieval: the same of the retrieval model, where the recipe has one.
        kept_statistics: folder in which the validation keeps the statistics of good runs, "" where a metadata store knows
            them.
        kept_best: folder in which the evaluation keeps the best blessed values, "" where a metadata store hands them on or
            no gate asks for them.
        trainer_options: of the trainer's `custom_config`: "checkpoints", a folder, where its outputs do not outlive it.
    """

    served: str
    served_retrieval: str
    kept_statistics: str = ""
    kept_best: str = ""
    trainer_options: Mapping[str, str] = MappingProxyType({})

    @abc.abstractmethod
    def logs_fingerprint(self, recipe: Recipe) -> str:
        """The log files with their fingerprints; "" where the place of assembly does not see them: the stage lists them."""

    @abc.abstractmethod
    def truth_fingerprint(self, recipe: Recipe) -> str:
        """The same of the truth's files."""

    @abc.abstractmethod
    def baseline_statistics(self, statistics: types.BaseChannel) -> base_node.BaseNode:
        """The node that finds the last good run's statistics, older than these: output `baseline_statistics`."""

    @abc.abstractmethod
    def baseline_model(self, model: types.BaseChannel) -> base_node.BaseNode:
        """The node that finds the newest blessed ranker older than this one: output `baseline_model`."""

    @abc.abstractmethod
    def baseline_retrieval(self, model: types.BaseChannel) -> base_node.BaseNode:
        """The same of the retrieval models: output `baseline_model` as well."""

    @abc.abstractmethod
    def infra_validator(
        self, recipe: Recipe, model: types.BaseChannel, infra_blessing: types.BaseChannel
    ) -> base_node.BaseNode | None:
        """The node in which a model server loads what the probe has blessed: output `blessing`; None if there is none."""

    @abc.abstractmethod
    def pipeline_options(self, recipe: Recipe) -> dict[str, Any]:
        """Keyword arguments of `tfx.dsl.Pipeline` besides the components."""
