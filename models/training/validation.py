"""Validation: the number by which training stops and the best round is chosen."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence

import numpy as np

from models.losses.base import Loss
from models.training.task_scales import TaskScales

logger = logging.getLogger(__name__)

FEWEST_OF_A_CLASS = 30
FEWEST_EXAMPLES = 100


class Validation:
    """The mean over tasks of the validation loss relative to the loss of the task's constant.

        score = mean_t r_t,  r_t = loss_t / constant_t,  or 1 + loss_t - constant_t for a loss that can be negative

    The constant is the best one of the train split; r_t below 1 is better than it. A plain sum of losses is ruled by the
    task with the largest or noisiest loss: a regression on 38 rows can stop a model whose other tasks still learn. So each
    task counts alike, and a task with too few observed examples to tell does not count: fewer than `FEWEST_OF_A_CLASS`
    of the rarer class, or than `FEWEST_EXAMPLES` for a regression. If no task has enough, all measured ones count.

    Args:
        tasks: names of the tasks.
        losses: their losses.
        scales: started scales.
        labels, weights: (example, task) of the validate split.
        served: the tasks that may rule. Default: all.
        groups: (example,), for losses that compare within groups.
    """

    def __init__(
        self,
        tasks: Sequence[str],
        losses: Sequence[Loss],
        scales: TaskScales,
        labels: np.ndarray,
        weights: np.ndarray,
        served: Collection[str] | None = None,
        groups: np.ndarray | None = None,
    ) -> None:
        constants = scales.constants(losses, labels, weights, groups)
        may = tasks if served is None else served
        measured = [task for task in observed_tasks(tasks, weights) if task in may]
        enough = [
            task
            for i, task in enumerate(tasks)
            if task in measured and has_enough(losses[i], labels[:, i], weights[:, i])
        ]
        self.constants = dict(zip(tasks, constants, strict=True))
        self.negative = {task for task, loss in zip(tasks, losses, strict=True) if loss.negative}
        self.ruling = tuple(enough or measured)
        if ignored := [task for task in measured if task not in self.ruling]:
            logger.info(
                "Too few validate examples to decide when to stop: %s. The other tasks decide: %s.",
                ", ".join(ignored),
                ", ".join(self.ruling),
            )

    def relative(self, task: str, loss: float) -> float:
        """Loss of a task relative to its constant: 1 is no better than the constant."""
        constant = self.constants[task]
        return 1.0 + loss - constant if task in self.negative or constant <= 0.0 else loss / constant

    def score(self, entry: Mapping[str, float]) -> float | None:
        """The score of a round, or None if no task is measured.

        Args:
            entry: has val_<task>_loss of the measured tasks.
        """
        if not self.ruling:
            return None
        return float(np.mean([self.relative(task, entry[f"val_{task}_loss"]) for task in self.ruling]))


def observed_tasks(tasks: Sequence[str], weights: np.ndarray) -> list[str]:
    """The tasks that have an observed example.

    Args:
        tasks: names of the tasks.
        weights: (example, task); 0 if the task is not observed.
    """
    return [task for i, task in enumerate(tasks) if (weights[:, i] > 0).any()]


def has_enough(loss: Loss, labels: np.ndarray, weights: np.ndarray) -> bool:
    """Whether the observed examples of a task suffice to choose by its loss.

    Args:
        loss: loss of the task.
        labels, weights: (example,).
    """
    observed = labels[weights > 0]
    if loss.kind == "regression":
        return len(observed) >= FEWEST_EXAMPLES
    positives = float(observed.sum())
    return min(positives, len(observed) - positives) >= FEWEST_OF_A_CLASS


def unknown_losses(tasks: Sequence[str], weights: np.ndarray) -> set[str]:
    """Names of the validate losses without an observed example, which Keras reports as 0.

    Args:
        tasks: names of the tasks.
        weights: (example, task) of the validate split.
    """
    observed = observed_tasks(tasks, weights)
    unmeasured = [task for task in tasks if task not in observed]
    for task in unmeasured:
        logger.warning("Task %r has no observed example in the validate split: early stopping ignores it.", task)
    return {f"val_{task}_loss" for task in unmeasured} | ({"val_loss"} if len(unmeasured) == len(tasks) else set())
