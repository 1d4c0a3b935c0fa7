"""What the losses of the tasks say about themselves, for checks that leave an unknown loss to the check of its name."""

from __future__ import annotations

from typing import Any

from models.losses import LOSS, LOSSES
from models.recipe.errors import InputError
from models.recipe.registry import facts, path_of
from models.recipe.tasks import Task, loss_of


def loss_fact(task: Task, name: str) -> Any:
    """A class variable of the task's loss (`models.losses.base.Loss`); None if the loss has a problem of its own."""
    try:
        return facts(path_of(loss_of(task), LOSSES, "loss"), LOSS).get(name)
    except InputError:  # it has a message of its own
        return None
