"""Trains one reference, and predicts with it."""

from __future__ import annotations

import dataclasses
import gc
import tempfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from components.references.budget import matched_units
from components.references.plan import SINGLE_TASK, ReferencesPlan
from models.features.input_pipeline import Columns
from models.features.layout import FeatureLayout
from models.recipe.errors import TrainingError
from models.recipe.evaluation import Reference
from models.training import trainer
from models.training.after_training import predictions_of
from models.training.build import build_model
from models.training.checkpoint import TrainingCheckpoint
from models.training.encoding import encoded_shapes
from models.training.function_numbers import number_from_a_round_one
from models.training.plan import TrainerPlan
from models.training.trained import parameter_count

LINEAR_RATE = 5.0
"""Factor of the linear model's learning rate. At the network's, it still learns after 20 passes on the shipped recipes."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Network:
    """The part of a model above the embedding tables.

    Attributes:
        dim: width of the architecture's input.
        outputs: number of logits of each served task.
        backbone, architecture: their trainable parameters.
    """

    dim: int
    outputs: tuple[int, ...]
    backbone: int
    architecture: int

    @property
    def parameters(self) -> int:
        """Number of trainable parameters."""
        return self.backbone + self.architecture


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainedReference:
    """A trained reference: its predictions, task -> (n,), and what `references.json` says about it."""

    predictions: dict[str, NDArray[np.float32]]
    about: dict[str, Any]


def network_of(plan: TrainerPlan, layout: FeatureLayout) -> Network:
    """Builds the network of a plan without its embedding tables, and counts."""
    # The variables have shapes and no values: to count them takes a tenth of the time.
    with keras.StatelessScope(initialize_variables=False):
        model = build_model(plan, layout, "float32")
        raw, read = encoded_shapes(model.encoder, model.backbone, model.wants)
        model.backbone.build(raw.x)
        model.architecture.build(read)
    return Network(
        dim=int(read.x[-1]),
        outputs=tuple(task.outputs for task in model.architecture.tasks if task.served),
        backbone=parameter_count(model.backbone),
        architecture=parameter_count(model.architecture),
    )


def reference_plan(plan: ReferencesPlan, name: Reference, network: Network) -> TrainerPlan:
    """The training of a reference: the model's, with another architecture.

    A reference has no auxiliary tasks. The linear model has no backbone, and learns at `LINEAR_RATE` times the learning rate.
    The twins have the model's backbone, and layers for the same number of parameters in all.

    Args:
        plan: plan of the stage.
        name: name of the reference.
        network: network of the model.
    """
    model = plan.model.model_copy(
        update={"tasks": {task: about for task, about in plan.model.tasks.items() if about.served}}
    )
    if name != SINGLE_TASK:
        training = model.training
        rates = {"learning_rate": LINEAR_RATE * training.learning_rate}
        if training.embedding_learning_rate is not None:
            rates["embedding_learning_rate"] = LINEAR_RATE * training.embedding_learning_rate
        update: dict[str, Any] = {"architecture": name, "options": {}, "backbone": "none", "backbone_options": {}}
        return model.model_copy(update={**update, "training": training.model_copy(update=rates)})
    options = dict(plan.single_task_options)
    units, tower_units = tuple(options["units"]), tuple(options["tower_units"])
    sizes = matched_units(network.architecture, network.dim, (*units, *tower_units), network.outputs)
    options |= {"units": sizes[: len(units)], "tower_units": sizes[len(units) :]}
    return model.model_copy(update={"architecture": name, "options": options})


def train_reference(
    plan: TrainerPlan,
    name: str,
    layout: FeatureLayout,
    data: Columns,
    validate: Columns,
    evaluation: Columns,
    checkpoint: TrainingCheckpoint,
) -> TrainedReference:
    """Trains a reference, or resumes from its checkpoint, and predicts the eval split.

    Args:
        plan: training of the reference.
        name: name of the reference.
        layout: feature layout.
        data: the train split.
        validate: the validate split, which decides when training stops and which weights are kept.
        evaluation: the eval split.
        checkpoint: checkpoint to resume from and to save to.

    Raises:
        InputError, TrainingError: see `models.training.trainer.train`.
    """
    number_from_a_round_one()
    with tempfile.TemporaryDirectory(prefix="gatewise-") as curves:
        try:
            own, its_validate = (columns.of_tasks(tuple(plan.tasks)) for columns in (data, validate))
            trained = trainer.train(plan, layout, own, its_validate, checkpoint, Path(curves))
        except TrainingError as error:
            raise TrainingError(f"The reference {name} (evaluation.references): {error}") from error
    about = {
        "network_parameters": trained.history["parameters"]["network"],
        "options": plan.options,
        "passes": trained.rounds[-1]["epoch"],
        "best_epoch": trained.best["epoch"],
        "seconds": round(sum(entry["seconds"] for entry in trained.rounds), 3),
    }
    found = TrainedReference(predictions=predictions_of(trained.model, evaluation), about=about)
    del trained
    gc.collect()
    return found
