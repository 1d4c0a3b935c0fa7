"""DomainPlan: the labels for which the loss of a task is defined."""

from __future__ import annotations

from models.losses import LOSS, LOSSES
from models.recipe.registry import check_options, facts, path_of, signature
from models.recipe.stage_plan import StagePlan
from models.recipe.tasks import Task, loss_of


class DomainPlan(StagePlan):
    """The labels for which a loss is defined: `label > above`, `label >= at_least` and, if there are `values`, one of these."""

    loss: str
    words: str
    above: float | None = None
    at_least: float | None = None
    values: tuple[float, ...] = ()


def domain_of(task: Task) -> DomainPlan | None:
    """The domain of the task's loss; None if it is any number."""
    loss = loss_of(task)
    path = path_of(loss, LOSSES, "loss")
    about = facts(path, LOSS)
    above, at_least, one_of = about["above"], about["at_least"], about["one_of"]
    if above is None and at_least is None and one_of is None:
        return None
    if one_of is None:
        return DomainPlan(loss=loss, words=about["labels"], above=above, at_least=at_least)
    options = check_options(task.loss_options.get(loss, {}), path, loss)
    values = tuple(map(float, options.get(one_of, signature(path)[one_of][1])))
    words = f"from the option {one_of!r}: {', '.join(f'{value:g}' for value in values)}"
    return DomainPlan(loss=loss, words=words, above=above, at_least=at_least, values=values)
