"""Options of losses that follow from the train labels, such as thresholds at their quantiles."""

from __future__ import annotations

from models.features import input_pipeline
from models.losses import LOSSES
from models.recipe.registry import load, path_of
from models.training.plan import TrainerPlan


def with_label_options(plan: TrainerPlan, data: input_pipeline.Columns) -> TrainerPlan:
    """The plan with the `loss_options` that each loss makes of its own and of the train labels (`Loss.options_from`).

    Args:
        plan: plan from the recipe.
        data: the train split, with an observed example of each task.
    """
    tasks = {}
    for place, (name, task) in enumerate(plan.tasks.items()):
        observed = data.weights[:, place] > 0
        labels, weights = data.labels[observed, place], data.weights[observed, place]
        options = load(path_of(task.loss, LOSSES, "loss")).options_from(task.loss_options, labels, weights)
        tasks[name] = task.model_copy(update={"loss_options": options})
    return plan.model_copy(update={"tasks": tasks})
