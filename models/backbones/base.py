"""Backbone: the interface of the layers that mix the features before the architecture."""

from __future__ import annotations

import abc
from typing import Any, ClassVar

import keras


class Backbone(keras.layers.Layer, abc.ABC):
    """Maps the encoded features to the features that the architecture reads.

    Options of a subclass are keyword-only with literal defaults: `models.recipe.registry.signature` reads them from the
    source. A subclass passes its other keywords, `**layer`, on to this class. Add regularization terms of the method by
    `add_loss`.

    Args:
        fields: widths of the embedded features, which are the first columns of x, in order. The columns after them are
            numbers, such as numeric features. The trainer supplies it. (): x has only numbers.

    Attributes:
        user_once: whether a ranking request may compute the user's part of the input once for all candidates. True only
            for a backbone that returns its input unchanged: others mix the features of user and candidate. Otherwise a
            request computes each candidate in full.

    Call: (batch, dim) -> (batch, width); `compute_output_shape` returns the width.
    """

    user_once: ClassVar[bool] = False

    def __init__(self, fields: tuple[int, ...] = (), **layer: Any) -> None:
        super().__init__(**layer)
        self.fields = tuple(fields)

    @abc.abstractmethod
    def call(self, x: Any, training: bool | None = None) -> Any:
        """(batch, dim) -> (batch, width)."""

    @abc.abstractmethod
    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """(batch, dim) -> (batch, width)."""

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "fields": self.fields}
