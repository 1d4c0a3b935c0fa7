"""Backbone: the interface of what mixes the features before an architecture shares them between tasks."""

from __future__ import annotations

import abc
from typing import Any, ClassVar

import keras


class Backbone(keras.layers.Layer, abc.ABC):
    """From the encoded features to the features that the architecture reads.

    Options of a subclass are keyword-only, with literal defaults: `models.recipe.registry.signature` reads them from the
    source. A penalty that belongs to the method goes through `add_loss`.

    Attributes:
        user_once: whether the user's part of its input may be computed once for all candidates of a ranking request.
            Only what passes its input through unchanged may say so: a backbone mixes the user's features with the
            candidate's. Without it a request is answered candidate by candidate.

    Call: (batch, dim) -> (batch, width); `compute_output_shape` says the width.
    """

    user_once: ClassVar[bool] = False

    @abc.abstractmethod
    def call(self, x: Any, training: bool | None = None) -> Any:
        """(batch, dim) -> (batch, width)."""

    @abc.abstractmethod
    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """(batch, dim) -> (batch, width)."""
