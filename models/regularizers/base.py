"""The two types of regularizer, which the training step tells apart by type and never by name."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from typing import Any

import keras


class _Configured(abc.ABC):
    @abc.abstractmethod
    def get_config(self) -> dict[str, Any]:
        """The options."""

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """The regularizer with these options."""
        return cls(**config)


class Regularizer(_Configured):
    """A cost of the architecture's variables, added to the losses.

    A variable tells its role by its name: "kernel" and "bias" of dense layers, "alpha" of a cross-stitch unit.
    Embedding tables are not among them: a cost of a whole table would make each step a pass over it.
    """

    @abc.abstractmethod
    def call(self, variables: Sequence[keras.Variable]) -> Any:
        """The cost, a scalar, of the architecture's trainable variables."""


class RowRegularizer(_Configured):
    """A cost of the embedding rows that a batch reads, added to the losses."""

    @abc.abstractmethod
    def call(self, rows: Any, shares: Any, frequencies: Any) -> Any:
        """The cost, a scalar, of the rows that the batch reads of one fused table.

        Args:
            rows: (position, dim), a row as often as the batch reads it.
            shares: (position,): 1 / how often the batch reads the row, so that a sum over positions weighted by it is
                a sum over distinct rows; 0 for padding.
            frequencies: (position,): how often training has read the row so far, this batch included; 1 or more.
        """
