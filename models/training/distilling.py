"""Distillation: a model that learns from labels and from the predictions of a teacher.

For a loss that is linear in the label, such as the cross-entropy, the mixture of the losses is the loss of the mixture:

    (1 - a) L(z, y) + a L(z, q) = L(z, (1 - a) y + a q) + what does not depend on z

So the labels y of the train split are mixed with the predictions q of the teacher before the training, and the training step
does not change. The validate split keeps its labels.

Hinton, Vinyals, Dean, Distilling the Knowledge in a Neural Network, 2015 (https://arxiv.org/abs/1503.02531), at temperature 1.
"""

from __future__ import annotations

import contextlib
import dataclasses
import gc
import logging
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.features.input_pipeline import Columns
from models.features.layout import FeatureLayout
from models.training.after_training import predictions_of
from models.training.checkpoint import TrainingCheckpoint
from models.training.function_numbers import number_from_a_round_one
from models.training.plan import DistillPlan, TrainerPlan

logger = logging.getLogger(__name__)

Predictions = Mapping[str, NDArray[np.float32]]
"""Task -> (example,)."""


@dataclasses.dataclass(frozen=True)
class Taught:
    """What a teacher leaves for the training of the model.

    Attributes:
        columns: the train split with mixed labels; None without a teacher.
        about: for history.json.
        kept: the file of the predictions; None without a teacher.
    """

    columns: Columns | None = None
    about: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    kept: KeptPredictions | None = None

    def remove(self) -> None:
        """Removes the kept predictions, when the model is written."""
        if self.kept is not None:
            self.kept.remove()


def learn_from_teacher(
    plan: TrainerPlan,
    layout: FeatureLayout,
    data: Columns,
    evaluation: Columns,
    checkpoint: TrainingCheckpoint,
    run_dir: Path,
    train: Callable[..., Any],
) -> Taught:
    """Trains the plan's teacher and mixes its predictions into the labels of the train split.

    The teacher has a checkpoint of its own beside the model's. Its predictions are kept there until `Taught.remove`: a run that is
    killed later reads them instead of training the teacher again, and mixes the same labels, bit for bit.

    Args:
        plan: plan of the model.
        layout: feature layout.
        data: the train split.
        evaluation: the validate split.
        checkpoint: checkpoint of the model.
        run_dir: folder of the TensorBoard curves; those of the teacher are in its folder `teacher`.
        train: `models.training.trainer.train`.

    Raises:
        InputError, TrainingError: see `models.training.trainer.train`.
    """
    distill = plan.distill
    if distill is None:
        return Taught()
    kept = KeptPredictions(checkpoint.folder.with_name(f"{checkpoint.folder.name}-teacher.npz"))
    predictions = kept.read()
    if predictions is None:
        logger.info("Training the teacher, %s.", distill.teacher.architecture)
        own = TrainingCheckpoint(checkpoint.folder.with_name(f"{checkpoint.folder.name}-teacher"))
        # Of the next seed: a teacher of the model's own architecture would otherwise be the model without a teacher.
        training = plan.training.model_copy(update={"seed": (plan.training.seed + 1) % 2**32})
        teacher = distill.teacher.model_copy(update={"training": training})
        trained = train(teacher, layout, data, evaluation, own, run_dir / "teacher")
        found = predictions_of(trained.model, data)
        predictions = {task: found[task] for task in distill.tasks}
        del trained
        gc.collect()
        kept.write(predictions)
        own.remove()
        number_from_a_round_one()
    about = {
        "teacher": distill.teacher.architecture,
        "share": distill.share,
        "calibration": {task: _calibration(data, task, predictions[task]) for task in distill.tasks},
    }
    logger.info("Learning from the teacher: %s.", about)
    return Taught(with_mixed_labels(data, predictions, distill), {"distill": about}, kept)


def with_mixed_labels(data: Columns, predictions: Predictions, plan: DistillPlan) -> Columns:
    """The train split with the labels of the plan's tasks mixed with the teacher's predictions.

    Where a task is observed, its label is (1 - share) * label + share * prediction. With `unobserved`, where it is not but another
    task is, its label is the prediction and its weight share * (largest weight of the example in any task).

    Args:
        data: the train split.
        predictions: of the teacher for the split, for the plan's tasks.
        plan: share and tasks.
    """
    labels, weights = np.array(data.labels[:]), np.array(data.weights[:])
    of_example = weights.max(axis=1)  # before the loop changes them
    for task in plan.tasks:
        i = data.tasks.index(task)
        observed, prediction = weights[:, i] > 0, predictions[task]
        mixed = (1.0 - plan.share) * labels[:, i] + plan.share * prediction
        if plan.unobserved:
            labels[:, i] = np.where(observed, mixed, prediction)
            weights[:, i] = np.where(observed, weights[:, i], plan.share * of_example)
        else:
            labels[:, i] = np.where(observed, mixed, labels[:, i])
    return dataclasses.replace(data, labels=labels, weights=weights)


@dataclasses.dataclass(frozen=True)
class KeptPredictions:
    """The predictions of a teacher in a file, which appears whole or not at all."""

    path: Path

    def read(self) -> dict[str, NDArray[np.float32]] | None:
        """The predictions, or None if there are none yet."""
        if not self.path.is_file():
            return None
        with np.load(self.path) as file:
            return dict(zip(file["tasks"].tolist(), file["predictions"], strict=True))

    def write(self, predictions: Predictions) -> None:
        """Writes the predictions under a temporary name and renames them."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self.path.with_name(f".{self.path.name}")
        with unfinished.open("wb") as file:
            np.savez(file, tasks=np.array([*predictions]), predictions=np.stack([*predictions.values()]))
        os.replace(unfinished, self.path)

    def remove(self) -> None:
        """Removes the file, and its folder if that is empty."""
        self.path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self.path.parent.rmdir()


def _calibration(data: Columns, task: str, prediction: NDArray[np.float32]) -> float | None:
    """Weighted sum of the predictions by that of the labels, where the task is observed; None if the labels sum to 0."""
    i = data.tasks.index(task)
    weights = np.asarray(data.weights[:, i], np.float64)
    labels = np.where(weights > 0, data.labels[:, i], 0.0)
    total = float(weights @ labels)
    return float(weights @ prediction) / total if total else None
