"""Trained: what a training returns."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import keras

from models.training.multi_task_model import MultiTaskModel


@dataclasses.dataclass(frozen=True)
class Trained:
    """A model in the state after its best round, with its training history. It predicts in float32, whatever the precision
    of the training.

    `rounds` has one entry per evaluation: epoch (passes over the train split), step, loss, val_loss, val_score, <task>_loss,
    val_<task>_loss, the `logs` of the regularizers, seconds, examples_per_second, and `grown` if the network grew after it
    (`models.training.growing`). For a resumed round, seconds and examples_per_second cover the part after the kill. A task
    without an observed validate example has no val_<task>_loss and does not affect the choice of the best round. If no task
    has an observed validate example, there are no val_loss and val_score, and the last round is the best. `shrinkage` is the
    factor of each task (`models.training.shrinkage`). `rows` is the number of train rows, without those left out by `negative_rate`.
    `start` says what a warm start went on from (`models.training.warm_start`), with the `evaluation` of its weights before the first step,
    epoch 0; {} for a start from the seed.
    `affinity` has the affinities between the tasks (`models.training.affinity_sums`); {} if they are not measured.
    """

    model: MultiTaskModel
    rounds: list[dict[str, Any]]
    best_round: int
    shrinkage: dict[str, float] = dataclasses.field(default_factory=dict)
    rows: int = 0
    affinity: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    start: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def best(self) -> dict[str, Any]:
        """The entry of the best round; of the weights that a warm start began with, if no round was better."""
        return self.rounds[self.best_round] if self.best_round >= 0 else dict(self.start["evaluation"])

    @property
    def history(self) -> dict[str, Any]:
        """What history.json tells of the training."""
        return {
            "epochs": self.rounds,
            "best_epoch": self.best["epoch"],
            "trained_rows": self.rows,
            "parameters": {
                "embeddings": sum(math.prod(shape) for shape in self.model.encoder.table_shapes),
                "network": parameter_count(self.model.backbone) + parameter_count(self.model.architecture),
            },
            "shrinkage": self.shrinkage,
            "loss_options": {task: dict(options) for task, options in self.model.loss_options.items() if options},
            "affinity": self.affinity,
            **({"start": self.start} if self.start else {}),
        }


def parameter_count(layer: keras.layers.Layer) -> int:
    """Number of trainable parameters of a built layer."""
    return sum(math.prod(variable.shape) for variable in layer.trainable_variables)
