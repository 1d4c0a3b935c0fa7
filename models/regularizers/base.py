"""The two types of regularizer. The training step distinguishes them by type, never by name."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from typing import Any

import keras


class _Configured(abc.ABC):
    @abc.abstractmethod
    def get_config(self) -> dict[str, Any]:
        """Options of the regularizer."""

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Creates a regularizer from its options."""
        return cls(**config)


class Regularizer(_Configured):
    """A loss term of the architecture's variables.

    The name of a variable gives its role: "kernel" and "bias" of dense layers, "alpha" of a cross-stitch unit.
    Embedding tables are excluded: a term over a whole table would make each step a pass over the table.
    """

    @abc.abstractmethod
    def call(self, variables: Sequence[keras.Variable]) -> Any:
        """The loss term, a scalar. `variables` are the trainable variables of the architecture."""


class RowRegularizer(_Configured):
    """A loss term of the embedding rows that a batch reads."""

    @abc.abstractmethod
    def call(self, rows: Any, shares: Any, frequencies: Any) -> Any:
        """The loss term, a scalar, of the rows that the batch reads from one fused table.

        Args:
            rows: (position, dim). A row is repeated for each read of the batch.
            shares: (position,): 1 / number of reads of the row in the batch; 0 for padding. A sum over positions with
                these weights is a sum over distinct rows.
            frequencies: (position,): number of reads of the row in training so far, including this batch; at least 1.
        """
