"""Objective: the interface of all objectives of conditioned tasks."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from keras import ops

from models.losses.base import Loss


class Given(NamedTuple):
    """The tasks before a conditioned task, taken together, in a batch over the entire space: all impressions.

    Attributes:
        reached: (batch,) bool: all of them are positive, such as a click before an order. False where that is not known.
        weights: (batch,): 0 where it is not known whether the example was reached, or the task is not observed though it was. Else
            the weight of the task, or, if not reached, that of the first task that is not positive.
        log_propensity: (batch,): log of the predicted probability to be reached.
    """

    reached: Any
    weights: Any
    log_propensity: Any


class TaskBatch(NamedTuple):
    """A conditioned task in a batch.

    Attributes:
        logits: (batch,).
        labels: (batch,): valid labels of the loss, also where the example was not reached.
        given: the tasks before it.
        towers: {tower: (batch,) logits} of the objective's own towers.
    """

    logits: Any
    labels: Any
    given: Given
    towers: Mapping[str, Any]


class Objective(abc.ABC):
    """What a task conditioned on others is trained on, over the entire space of impressions.

    The task's prediction is as ever: its value if the tasks before it are positive. Only the training differs. Options are
    keyword-only parameters of `__init__` with literal defaults and types of `models.recipe.option_types`. It has no state.

    Every task of the funnel has the probability sigmoid(logit) (`Loss.log_odds_if`).

    Attributes:
        towers: {name: sign} of the networks of the objective's own, each with one logit. They read what the last layers of the served
            tasks read, and are not served. A tower starts at sign * the task's best constant logit.
    """

    towers: Mapping[str, int] = MappingProxyType({})

    @abc.abstractmethod
    def values(self, batch: TaskBatch, loss: Loss) -> Any:
        """(batch,): the objective of each example. Its mean over the entire space, by `batch.given.weights`, is minimised."""

    def importance(self, given: Given) -> Any:
        """(batch,): weight of the task's own loss of each example, 0 where it was not reached. None: no such weights.

        The training reports their effective share: (sum w)^2 / (n sum w^2) over the n reached examples. It is 1 for equal weights; at
        .1, the estimate is as noisy as that of a tenth of the examples.
        """
        return None


def own_values(batch: TaskBatch, loss: Loss) -> Any:
    """(batch,): the task's own loss, of the examples that were reached; 0 for the others."""
    return ops.where(batch.given.reached, loss.value(batch.logits, batch.labels), 0.0)


def entire_space_values(batch: TaskBatch) -> Any:
    """(batch,): the negative log likelihood of the whole way: all tasks before it positive, and the task itself.

    -c log q - (1 - c) log(1 - q),  q = p(reached) sigmoid(z), and c the label if reached, else 0. The gradient also moves the
    tasks before it. Stable for any logits.
    """
    label = ops.where(batch.given.reached, batch.labels, 0.0)
    cost = ops.softplus(-batch.logits) - batch.given.log_propensity  # -log q
    return label * cost - (1.0 - label) * log1mexp(cost)


def with_entire_space(values: Any, batch: TaskBatch, weight: float) -> Any:
    """(batch,): values + weight * `entire_space_values`."""
    return values + weight * entire_space_values(batch) if weight else values


def log1mexp(x: Any) -> Any:
    """log(1 - exp(-x)) for x > 0, without cancellation for small x. Below 1e-30 as for 1e-30."""
    x = ops.maximum(x, 1e-30)
    small = x < 0.6931472
    of_small = ops.log(-ops.expm1(-ops.where(small, x, 0.5)))
    return ops.where(small, of_small, ops.log1p(-ops.exp(-ops.where(small, 1.0, x))))


def inverse_propensity(given: Given, clip: float, normalized: bool) -> Any:
    """(batch,): reached / max(propensity, clip), constant for the gradient; if `normalized`, scaled to a mean of 1 over the batch.

    Args:
        given: the tasks before the task.
        clip: smallest propensity, so that no weight is above 1 / clip.
        normalized: whether to scale the weights so that their weighted mean over the entire space is 1.
    """
    weights = ops.where(given.reached, ops.exp(-ops.maximum(given.log_propensity, ops.log(clip))), 0.0)
    return ops.stop_gradient(mean_one(weights, given.weights) if normalized else weights)


def mean_one(values: Any, weights: Any) -> Any:
    """values / their weighted mean; 0 if that is 0."""
    total = ops.sum(values * weights)
    return values * ops.where(total > 0, ops.sum(weights) / ops.where(total > 0, total, 1.0), 0.0)
