"""The plan of a linear model on packed columns, for trainings without stages."""

from __future__ import annotations

from collections.abc import Mapping

from models.recipe.model import Training
from models.training.plan import TaskPlan, TrainerPlan


def linear_plan(tasks: Mapping[str, TaskPlan], **training: object) -> TrainerPlan:
    """The plan.

    Args:
        tasks: the tasks.
        training: options of `training`, with `average_weights` and without XLA unless they say otherwise.
    """
    return TrainerPlan(
        tasks=tasks,
        architecture="linear",
        options={},
        balancer="fixed",
        balancer_options={},
        regularizers={},
        training=Training.model_validate({"average_weights": True, "jit_compile": False, **training}),
        probe_requests=1,
        inputs={},
    )
