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
from models.losses import LOSS, LOSSES
from models.recipe.distill import BLESSED
from models.recipe.registry import facts, path_of
from models.training.after_training import predictions_of
from models.training.checkpoint import TrainingCheckpoint
from models.training.function_numbers import number_from_a_round_one
from models.training.plan import DistillPlan, TrainerPlan
from models.training.teacher_file import PREDICTIONS, read_predictions

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
    blessed: str | None = None,
) -> Taught:
    """Trains the plan's teacher, or reads what the blessed model predicts, and mixes the predictions into the labels of the train split.

    A teacher that is trained has a checkpoint of its own beside the model's. Its predictions are kept there until `Taught.remove`: a run that is
    killed later reads them instead of training the teacher again, and mixes the same labels, bit for bit.

    Args:
        plan: plan of the model.
        layout: feature layout.
        data: the train split.
        evaluation: the validate split.
        checkpoint: checkpoint of the model.
        run_dir: folder of the TensorBoard curves; those of the teacher are in its folder `teacher`.
        train: `models.training.trainer.train`.
        blessed: folder with the predictions of the blessed model (`models.training.teacher_file`).

    Raises:
        InputError, TrainingError: see `models.training.trainer.train`.
    """
    distill = plan.distill
    if distill is None:
        return Taught()
    kept = KeptPredictions(checkpoint.folder.with_name(f"{checkpoint.folder.name}-teacher.npz"))
    if distill.teacher is None:
        predictions = _of_the_blessed(plan, data, blessed)
    elif (found := kept.read()) is not None:
        predictions = found
    else:
        logger.info("Training the teacher, %s.", distill.teacher.architecture)
        own = TrainingCheckpoint(checkpoint.folder.with_name(f"{checkpoint.folder.name}-teacher"))
        # Of the next seed: a teacher of the model's own architecture would otherwise be the model without a teacher.
        training = plan.training.model_copy(update={"seed": (plan.training.seed + 1) % 2**32})
        teacher = distill.teacher.model_copy(update={"training": training})
        trained = train(teacher, layout, data, evaluation, own, run_dir / "teacher")
        of_served = predictions_of(trained.model, data)
        predictions = {task: of_served[task] for task in distill.tasks}
        del trained
        gc.collect()
        kept.write(predictions)
        own.remove()
        number_from_a_round_one()
    about = {
        "teacher": distill.teacher.architecture if distill.teacher else BLESSED if predictions else None,
        "share": distill.share,
        "calibration": {task: _calibration(data, task, values) for task, values in predictions.items()},
    }
    logger.info("Learning from the teacher: %s.", about)
    columns = with_mixed_labels(data, predictions, distill) if predictions else None
    return Taught(columns, {"distill": about}, kept)


def _of_the_blessed(plan: TrainerPlan, data: Columns, folder: str | None) -> Predictions:
    """The predictions of the blessed model, within the labels' range of the task's loss, which may have changed; {} without one."""
    found = read_predictions(Path(folder) / PREDICTIONS, data.example_id) if folder else {}
    least = {task: facts(path_of(plan.tasks[task].loss, LOSSES, "loss"), LOSS)["at_least"] for task in found}
    return {task: values if least[task] is None else np.maximum(values, least[task]) for task, values in found.items()}


def with_mixed_labels(data: Columns, predictions: Predictions, plan: DistillPlan) -> Columns:
    """The train split with the labels of some tasks mixed with the teacher's predictions.

    Where a task is observed, its label is (1 - share) * label + share * prediction. With `unobserved`, where it is not but another
    task is, its label is the prediction and its weight share * (largest weight of the example in any task).

    Args:
        data: the train split.
        predictions: of the teacher for the split, for the tasks that learn from it.
        plan: the share, and whether unobserved examples count.
    """
    labels, weights = np.array(data.labels[:]), np.array(data.weights[:])
    of_example = weights.max(axis=1)  # before the loop changes them
    for task, prediction in predictions.items():
        i = data.tasks.index(task)
        observed = weights[:, i] > 0
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
