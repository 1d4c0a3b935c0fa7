"""Shrinkage: how far the logits of a trained task move back towards its constant."""

from __future__ import annotations

import logging

import numpy as np
from keras import ops
from scipy import optimize

from models.features import input_pipeline
from models.losses.base import Loss
from models.losses.task_loss import task_loss
from models.training.after_training import in_batches
from models.training.multi_task_model import MultiTaskModel
from models.training.validation import has_enough

logger = logging.getLogger(__name__)

LEAST = 0.05
"""Smallest factor. It keeps the order of the predictions, at a loss that cannot be told from the constant's."""
WORTH_SAYING = 0.9
"""A factor below this is logged."""


def shrink(model: MultiTaskModel, data: input_pipeline.Columns, batch_size: int) -> dict[str, float]:
    """Moves the logits of each task towards its constant by the factor that has the smallest loss on `data`.

        logits = constant + s * (logits - constant),  LEAST <= s <= 1

    A network that found little, or something that holds in the train split alone, is too sure of it: its order of the
    examples may be right, and its loss still worse than the constant's. s below 1 mends this and keeps the order; a task
    without any signal ends near the constant. s is one number per task, so that the validate split suffices to choose it.

    A task with too few examples to choose (`models.training.validation.has_enough`) stays as it is.

    This is temperature scaling (Guo et al. 2017, https://arxiv.org/abs/1706.04599) around the constant instead of 0,
    and never above 1.

    Args:
        model: trained model; its scales are changed.
        data: the validate split.
        batch_size: examples per step.

    Returns:
        {task: s}, for the tasks with enough observed examples.
    """
    constants = model.scales.best_constants
    weights, labels = data.weights[:], data.labels[:]
    logits = in_batches(lambda features: model(features, training=False), data, batch_size)
    factors = {
        task: factor(loss, logits[task], constants[i], labels[:, i], weights[:, i])
        for i, (task, loss) in enumerate(zip(model.tasks, model.loss_functions, strict=True))
        if has_enough(loss, labels[:, i], weights[:, i])
    }
    if below := [f"{task} {factor:.2f}" for task, factor in factors.items() if factor < WORTH_SAYING]:
        logger.info("Logits moved towards the task's constant, by the validate split: %s.", ", ".join(below))
    by_output = np.repeat([factors.get(task, 1.0) for task in model.tasks], model.scales.outputs)
    model.scales.scale.assign(ops.convert_to_numpy(model.scales.scale) * by_output.astype(np.float32))
    return factors


def factor(loss: Loss, logits: np.ndarray, offset: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> float:
    """The factor of one task, from `LEAST` to 1.

    Args:
        loss: loss of the task.
        logits: (example,), or (example, outputs) for a loss with several outputs.
        offset: (outputs,) logits of the constant.
        labels, weights: (example,).
    """
    observed = weights > 0
    constant = np.asarray(offset, np.float32)[0 if loss.outputs == 1 else slice(None)]
    moved, its_labels, its_weights = logits[observed] - constant, labels[observed], weights[observed]

    def mean_loss(s: float) -> float:
        return float(task_loss(loss, constant + np.float32(s) * moved, its_labels, its_weights))

    found = optimize.minimize_scalar(mean_loss, bounds=(LEAST, 1.0), method="bounded", options={"xatol": 0.005})
    return float(found.x) if found.fun < mean_loss(1.0) else 1.0
