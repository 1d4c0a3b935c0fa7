"""Loss: the interface of all losses, with the properties that recipes are checked against."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np


class Start(NamedTuple):
    """Where the network of a task starts: logits = offset + scale * outputs.

    Attributes:
        offset: logits of the best constant prediction, one per output of the loss.
        scale: spread of the labels in units of each logit, so that outputs near 1 are ordinary.
    """

    offset: tuple[float, ...]
    scale: tuple[float, ...]


class Loss(abc.ABC):
    """A loss from logits and its prediction. Models output logits; only the loss applies a sigmoid.

    A subclass writes its class variables as literals: `models.recipe.registry.facts` reads them from the source, so that
    a recipe is checked without importing Keras. Its options are keyword-only parameters of `__init__` with literal defaults and types
    of `models.recipe.option_types`. It has no state.

    Attributes:
        kind: kind of the task: "binary" (the prediction is a probability) or "regression" (the prediction is an amount).
        outputs: number of logits per example. The literal is that of the default options; `__init__` may set another.
        labels: valid labels, as text.
        above: labels must be greater than this number.
        at_least: labels must be at least this number.
        one_of: name of the option with all valid labels. None: labels are not limited to a list.
        negative: whether the loss can be negative.
        linear: whether the gradient by the logits is linear in the label, value = a(y) + b(z) + y c(z). A mixture of two labels then
            has the mixture of their gradients, and the prediction is the mean of the labels.
        log_odds_if: options of a binary loss with which the best logit is the log odds of a positive, so that a factor of the odds
            is a shift of the logit; {} if it is so with all options. None: it never is.
        within_group: whether the loss compares the examples of a group (`models.losses.group_loss.GroupLoss`).
    """

    kind: ClassVar[Literal["binary", "regression"]]
    outputs: int = 1
    labels: ClassVar[str] = "any number"
    above: ClassVar[float | None] = None
    at_least: ClassVar[float | None] = None
    one_of: ClassVar[str | None] = None
    negative: ClassVar[bool] = False
    within_group: ClassVar[bool] = False
    linear: ClassVar[bool] = False
    log_odds_if: ClassVar[Mapping[str, float] | None] = None

    @classmethod
    def options_from(cls, options: Mapping[str, Any], labels: np.ndarray, weights: np.ndarray) -> Mapping[str, Any]:
        """The options to train with, of the recipe's. By default the same.

        A loss may set options by the train labels here, which are not known when the recipe is checked. The number of outputs must
        stay. The trainer calls it once, before it makes the model; the model keeps the result.

        Args:
            options: options of the recipe.
            labels: (example,) observed train labels, at least one.
            weights: (example,) their weights, above 0.
        """
        return options

    @abc.abstractmethod
    def value(self, logits: Any, labels: Any) -> Any:
        """The loss of each example.

        Args:
            logits: (batch,) float32, or (batch, outputs) for a loss with several outputs.
            labels: (batch,) float32.

        Returns:
            (batch,) float32.
        """

    def start(self, labels: np.ndarray, weights: np.ndarray) -> Start:
        """Where a network starts, from the train labels. By default at logits of 0, on the scale of the network.

        Args:
            labels: (example,) observed labels, at least one.
            weights: (example,) their weights, above 0.
        """
        return Start((0.0,) * self.outputs, (1.0,) * self.outputs)

    @abc.abstractmethod
    def prediction(self, logits: Any) -> Any:
        """(batch,) or (batch, outputs) logits -> (batch,) predictions."""


def log_odds(positive: np.ndarray, weights: np.ndarray) -> float:
    """Log odds of the weighted share of positives, with half an example of each class added, so that it is finite."""
    scale = len(weights) / weights.sum()
    positives, total = scale * (weights @ positive), float(len(weights))
    return float(np.log((positives + 0.5) / (total - positives + 0.5)))


def mean_and_deviation(values: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    """Weighted mean and standard deviation; a deviation of 1 if all values are equal."""
    mean = float(np.average(values, weights=weights))
    deviation = float(np.sqrt(np.average(np.square(values - mean), weights=weights)))
    return mean, deviation if deviation > 1e-12 * max(1.0, abs(mean)) else 1.0


def median_and_deviation(values: np.ndarray, weights: np.ndarray, share: float = 0.5) -> tuple[float, float]:
    """Weighted median, or another quantile, and mean distance from it; a distance of 1 if all values are equal."""
    order = np.argsort(values, kind="stable")
    upto = np.cumsum(weights[order])
    median = float(values[order][np.searchsorted(upto, share * upto[-1])])
    distance = float(np.average(np.abs(values - median), weights=weights))
    return median, distance if distance > 1e-12 * max(1.0, abs(median)) else 1.0
