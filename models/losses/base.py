"""Loss: the interface of all losses, with the properties that recipes are checked against."""

from __future__ import annotations

import abc
from typing import Any, ClassVar, Literal


class Loss(abc.ABC):
    """A loss from logits and its prediction. Models output logits; only the loss applies a sigmoid.

    A subclass writes its class variables as literals: `models.recipe.registry.facts` reads them from the source, so that
    a recipe is checked without importing Keras. It has no options and no state.

    Attributes:
        kind: kind of the task: "binary" (the prediction is a probability) or "regression" (the prediction is an amount).
        outputs: number of logits per example.
        labels: valid labels, as text.
        above: labels must be greater than this number.
        at_least: labels must be at least this number.
        negative: whether the loss can be negative.
    """

    kind: ClassVar[Literal["binary", "regression"]]
    outputs: ClassVar[int] = 1
    labels: ClassVar[str] = "any number"
    above: ClassVar[float | None] = None
    at_least: ClassVar[float | None] = None
    negative: ClassVar[bool] = False

    @abc.abstractmethod
    def value(self, logits: Any, labels: Any) -> Any:
        """The loss of each example.

        Args:
            logits: (batch,) float32, or (batch, outputs) for a loss with several outputs.
            labels: (batch,) float32.

        Returns:
            (batch,) float32.
        """

    @abc.abstractmethod
    def prediction(self, logits: Any) -> Any:
        """(batch,) or (batch, outputs) logits -> (batch,) predictions."""
