"""Loss: the interface of every loss, with what a recipe is checked against."""

from __future__ import annotations

import abc
from typing import Any, ClassVar, Literal


class Loss(abc.ABC):
    """A loss from logits, and the prediction that belongs to it: no model ends in a sigmoid of its own.

    A subclass writes its class variables as literals: `models.recipe.registry.facts` reads them from the source, so that
    a recipe is checked without importing Keras. It takes no options and keeps no state.

    Attributes:
        kind: of the tasks it is for: "binary" (the prediction is a probability) or "regression" (it is an amount).
        outputs: number of logits of an example.
        labels: the labels it is for, in words.
        above: labels must be greater than this number.
        at_least: labels must be this number or greater.
        negative: whether its value can be below 0.
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
            logits: (batch,) float32, or (batch, outputs) where a loss has several.
            labels: (batch,) float32.

        Returns:
            (batch,) float32.
        """

    @abc.abstractmethod
    def prediction(self, logits: Any) -> Any:
        """(batch,) or (batch, outputs) logits -> (batch,): what the model predicts."""
