"""The interface between a pipeline and the place where it runs. The rest of `pipeline/dag.py` is the same on every platform."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from tfx import types
from tfx.dsl.components.base import base_node

from models.recipe.night import Night
from models.recipe.recipe import Recipe


class Platform(abc.ABC):
    """One machine, or a cluster.

    Attributes:
        served: folder of the pushed versions, as a path of the Pusher.
        served_retrieval: folder of the retrieval model's versions, if the recipe has one.
        states: folder of the nights of the ranker, each with its record and the state of its model.
        push: whether a blessed model is pushed.
        withdrawn: the versions that `gatewise rollback` has withdrawn, as text; "" if there are none, or if they cannot be read
            at assembly.
        kept_statistics: folder in which Validation keeps the statistics of valid runs; "" if a metadata store records them.
        kept_best: folder in which the Evaluator keeps the best blessed values; "" if a metadata store records them or no
            gate needs them.
        trainer_options: entries of the Trainer's `custom_config`: "checkpoints" is a folder that survives a lost pod, if
            the Trainer's outputs do not.
    """

    served: str
    served_retrieval: str
    states: str = ""
    push: bool = True
    withdrawn: str = ""
    kept_statistics: str = ""
    kept_best: str = ""
    trainer_options: Mapping[str, str] = MappingProxyType({})

    @abc.abstractmethod
    def logs_fingerprint(self, recipe: Recipe, night: Night | None) -> str:
        """The log files that a run reads, with their fingerprints; "" if they cannot be read at assembly, so that the stage lists them."""

    def first_nodes(self, recipe: Recipe) -> tuple[base_node.BaseNode, ...]:
        """Nodes before all others."""
        return ()

    def night(self, recipe: Recipe) -> Night | None:
        """What the run goes on from; None unless the recipe has `training.start: warm`."""
        return None

    @abc.abstractmethod
    def truth_fingerprint(self, recipe: Recipe) -> str:
        """The files of the true probabilities with their fingerprints, or ""."""

    @abc.abstractmethod
    def best_items_fingerprint(self, recipe: Recipe) -> str:
        """The files of the items' true values with their fingerprints, or ""."""

    @abc.abstractmethod
    def baseline_statistics(self, statistics: types.BaseChannel, every: int) -> base_node.BaseNode:
        """The node that finds the statistics of the last valid run before these; with `every` above 0, of a span a multiple of `every` spans
        before. Output: `baseline_statistics`."""

    @abc.abstractmethod
    def baseline_model(self, model: types.BaseChannel) -> base_node.BaseNode:
        """The node that finds the newest earlier blessed ranker. Output: `baseline_model`."""

    @abc.abstractmethod
    def teacher_model(self, examples: types.BaseChannel) -> base_node.BaseNode | None:
        """The node that finds the newest ranker that was blessed before these examples. Output: `baseline_model`. None if the
        stage Teacher looks into `served`."""

    @abc.abstractmethod
    def baseline_retrieval(self, model: types.BaseChannel) -> base_node.BaseNode:
        """The node that finds the newest earlier blessed retrieval model. Output: `baseline_model`."""

    @abc.abstractmethod
    def infra_validator(
        self, recipe: Recipe, model: types.BaseChannel, infra_blessing: types.BaseChannel
    ) -> base_node.BaseNode | None:
        """The node in which a model server loads the model that the probe blessed. Output: `blessing`. None if not used."""

    @abc.abstractmethod
    def pipeline_options(self, recipe: Recipe) -> dict[str, Any]:
        """Keyword arguments of `tfx.dsl.Pipeline` other than the components."""
