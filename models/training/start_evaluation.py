"""The weights that a warm start begins with are a candidate for the export, as the weights after each round are."""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.training.callbacks import check_eval_losses
from models.training.checkpoint import Progress, TrainingCheckpoint
from models.training.multi_task_model import MultiTaskModel
from models.training.validation import Validation
from models.training.weight_average import exchange_average

logger = logging.getLogger(__name__)


def evaluate_start(
    model: MultiTaskModel,
    batches: Any,
    learned: Any,
    weights: NDArray[np.float32],
    validation: Validation,
    unknown: Collection[str],
    progress: Progress,
    checkpoint: TrainingCheckpoint,
) -> None:
    """Evaluates the weights before the first step, and saves them with their score as the best so far.

    Then evaluates them on the train split. Each label of a night is in the train split once, when its window has closed: the loss of the weights
    that have not learned it yet is that of progressive validation, with late labels.

    If no round has a smaller score, they are exported again, and the state is written again as it was read. Under adversaries, or if no task
    is measured, the last round is exported, as without a warm start.

    Args:
        model: compiled model after the warm start.
        batches: the validate split.
        learned: the train split.
        weights: (examples, tasks), of its labels; 0 if a label is not known or was learned before.
        validation: scores the evaluation.
        unknown: names of losses that are not measured.
        progress: gets the evaluation and its score.
        checkpoint: where to save.

    Raises:
        TrainingError: a validation loss is not finite.
    """
    exchange_average(model)
    losses = model.evaluate(batches, verbose=0, return_dict=True)
    before = model.evaluate(learned, verbose=0, return_dict=True)
    exchange_average(model)
    named = {f"val_{name}": float(loss) for name, loss in losses.items()}
    entry: dict[str, Any] = {
        "epoch": 0,
        "step": 0,
        **{name: loss for name, loss in named.items() if name not in unknown},
    }
    check_eval_losses(entry, model.tasks)
    if (score := validation.score(entry)) is not None:
        entry["val_score"] = score
        logger.info("Before the first step: val_score %.5g.", score)
        if model.adversaries is None:
            progress.stopping.best = score
    counts = dict(zip(model.tasks, np.count_nonzero(weights, axis=0).tolist(), strict=True))
    entry["before_learning"] = {
        task: {"labels": count, "loss": float(before[f"{task}_loss"])} for task, count in counts.items() if count
    }
    progress.start = entry
    checkpoint.save(model, progress)
