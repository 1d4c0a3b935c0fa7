"""The losses of the tasks over a batch, in training and in evaluation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from keras import ops

from models.architectures.base import REPRESENTATION
from models.losses.task_loss import harmless, task_loss, weighted_mean
from models.objectives.base import Given, TaskBatch

if TYPE_CHECKING:
    from models.training.multi_task_model import MultiTaskModel


def task_losses(
    model: MultiTaskModel, logits: Mapping[str, Any], labels: Any, weights: Any, groups: Any = None
) -> list[Any]:
    """The loss of each task, in units of its scale: scalars.

    Args:
        model: for the losses and scales.
        logits: {task: logits}.
        labels, weights: (batch, task).
        groups: (batch,), for losses that compare within groups; None: each example is a group of its own.
    """
    return [
        task_loss(loss, logits[task], labels[:, i], weights[:, i], groups) / model.scales.unit.value[i]
        for i, (task, loss) in enumerate(zip(model.tasks, model.loss_functions, strict=True))
    ]


def training_losses(
    model: MultiTaskModel,
    outputs: Mapping[str, Any],
    logits: Mapping[str, Any],
    labels: Any,
    weights: Any,
    groups: Any = None,
) -> tuple[list[Any], Any]:
    """The loss of each task as it is trained: that of its objective, if it has one.

    Args:
        model: for the losses, scales and objectives.
        outputs: outputs of the architecture, with the representation if an objective has towers.
        logits: {task: logits}.
        labels, weights: (batch, task).
        groups: (batch,), as for `task_losses`.

    Returns:
        Scalars, and the (batch, task) weights over which they are means.
    """
    losses, objectives = task_losses(model, logits, labels, weights, groups), model.objectives
    if objectives is None:
        return losses, weights
    columns = [weights[:, i] for i in range(len(model.tasks))]
    towers = objectives(outputs[REPRESENTATION], training=True) if objectives.towers else {}
    for task, objective in objectives.by_task.items():
        i = model.tasks.index(task)
        places = [model.tasks.index(one) for one in (*objectives.funnels[task], task)]
        given = given_of([logits[model.tasks[place]] for place in places[:-1]], labels, weights, places)
        start = ops.convert_to_tensor(model.scales.offset)[model.scales.first[i]]
        of_towers = {name: objective.towers[name] * start + tower for name, tower in towers.get(task, {}).items()}
        known = ops.where(weights[:, i] > 0, labels[:, i], harmless(model.loss_functions[i]))
        values = objective.values(TaskBatch(logits[task], known, given, of_towers), model.loss_functions[i])
        losses[i], columns[i] = weighted_mean(values, given.weights), given.weights
        if task in objectives.shares:
            objectives.shares[task].update_state(objective.importance(given), given)
    return losses, ops.stack(columns, axis=1)


def given_of(logits: Sequence[Any], labels: Any, weights: Any, places: Sequence[int]) -> Given:
    """The tasks before a conditioned task, taken together.

    Args:
        logits: (batch,) of each of them, from the first.
        labels, weights: (batch, task). A task has a weight only where the one before it is positive.
        places: columns of these tasks, then of the task itself.
    """
    reached, known = ops.ones_like(weights[:, 0], dtype="bool"), weights[:, places[0]]
    log_propensity = ops.zeros_like(weights[:, 0])
    for place, next_, own_logits in zip(places[:-1], places[1:], logits, strict=True):
        observed = weights[:, place] > 0
        reached = ops.logical_and(reached, ops.logical_and(observed, ops.where(observed, labels[:, place], 0.0) > 0.5))
        known = ops.where(reached, weights[:, next_], known)
        log_propensity -= ops.softplus(-own_logits)
    return Given(reached, known, log_propensity)
