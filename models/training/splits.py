"""Checks the splits of a training before it begins."""

from __future__ import annotations

import logging

from models.features import input_pipeline
from models.recipe.errors import TrainingError

logger = logging.getLogger(__name__)


def check_splits(data: input_pipeline.Columns, evaluation: input_pipeline.Columns, tasks: tuple[str, ...]) -> None:
    """Checks that the splits have the tasks, and that each task can be trained. Warns of a task with one label everywhere.

    Args:
        data: the train split.
        evaluation: the validate split.
        tasks: names of the tasks.

    Raises:
        TrainingError: a split has other tasks, or a task has no observed train example.
    """
    for split, columns in (("train", data), ("validate", evaluation)):
        if tuple(columns.tasks) != tasks:
            raise TrainingError(
                f"The {split} split has labels of {tuple(columns.tasks)}, but the recipe has tasks {tasks}: "
                "the examples come from another recipe."
            )
    for i, task in enumerate(tasks):
        observed = data.weights[:, i] > 0
        if not observed.any():
            raise TrainingError(
                f"Task {task!r} has no observed example in the train split: all weights are 0. Either its window is "
                "still open at `logs.as_of` for every example, or its `conditioned_on` task never happens."
            )
        labels = data.labels[observed, i]
        if (labels == labels[0]).all():
            logger.warning(
                "Task %r: all train labels are %g, so the model can only learn this constant.", task, labels[0]
            )
