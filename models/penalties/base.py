"""Penalty: the interface of every cost on the weights."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from typing import Any

import keras


class Penalty(abc.ABC):
    """A cost of the model's weights, added to the losses.

    A variable tells its role by its name: "kernel" and "bias" of dense layers, "alpha" of a cross-stitch unit,
    "<table>_table" of an embedding table.
    """

    @abc.abstractmethod
    def call(self, variables: Sequence[keras.Variable]) -> Any:
        """The cost, a scalar, of the trainable variables of the encoder and the architecture."""

    @abc.abstractmethod
    def get_config(self) -> dict[str, Any]:
        """The options."""

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Penalty:
        """The penalty with these options."""
        return cls(**config)
