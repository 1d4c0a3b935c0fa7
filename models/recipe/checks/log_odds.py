"""Tasks whose logit is the log odds of a positive, so that its sigmoid is the probability."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.losses import LOSS, LOSSES
from models.recipe.errors import InputError
from models.recipe.registry import check_options, defaults, facts, path_of
from models.recipe.tasks import Task, loss_of


def is_log_odds(task: Task) -> bool:
    """Whether the task's logit is the log odds; also True if the loss or its options have problems of their own."""
    loss = loss_of(task)
    try:
        path = path_of(loss, LOSSES, "loss")
        needed = facts(path, LOSS).get("log_odds_if")
        options = defaults(path)
        options |= check_options(task.loss_options.get(loss, {}), path, loss)
    except InputError:  # it has a message of its own
        return True
    return needed is not None and all(options.get(name) == value for name, value in needed.items())


def losses_of_log_odds() -> str:
    """The losses that fit, with the options that they need, for a message."""
    fitting = {row: facts(path, LOSS).get("log_odds_if") for row, path in LOSSES.items()}
    return " or ".join(_words(row, about) for row, about in fitting.items() if about is not None)


def _words(loss: str, options: Mapping[str, Any]) -> str:
    return f"{loss!r}{''.join(f' with {name} {value:g}' for name, value in options.items())}"
