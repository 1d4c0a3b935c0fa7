"""The types of regularizer. The training step distinguishes them by type, never by name."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from typing import Any

import keras

from models.recipe.errors import InputError


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


class TaskRegularizer(_Configured):
    """A loss term of the kernels that each task has of its own, which relates the tasks to each other.

    `Architecture.task_kernels` lists the kernels. An architecture without them is refused.
    """

    @abc.abstractmethod
    def call(self, stacks: Sequence[Any], tasks: tuple[str, ...]) -> Any:
        """The loss term, a scalar.

        Args:
            stacks: the kernels of each layer: (task, ..., in, out).
            tasks: names of the tasks, in the order of the stacks.
        """


class ProximalTaskRegularizer(TaskRegularizer):
    """A TaskRegularizer that acts after the update of the optimizer, so that it sets weights to exactly 0.

    The loss includes its term; the gradient does not.
    """

    @abc.abstractmethod
    def proximal(self, stack: Any, rate: Any) -> Any:
        """The proximal step of one layer: argmin_v |v - stack|^2 / 2 + rate * term of v.

        Args:
            stack: the kernels after the update: (task, ..., in, out).
            rate: learning rate of the step.
        """

    def logs(self, stacks: Sequence[Any]) -> dict[str, Any]:
        """Numbers for the training history: {name: scalar}. By default none."""
        return {}


class RepresentationRegularizer(_Configured):
    """A loss term of the representations of two views of the batch, each with some of the features masked.

    Attributes:
        masked: share of the features that a view lacks, drawn for each example.
    """

    masked: float

    @abc.abstractmethod
    def call(self, first: Any, second: Any) -> Any:
        """The loss term, a scalar. `first` and `second` are (batch, width), the representations of the two views."""


def check_strength(where: str, strength: float) -> None:
    """Refuses a negative factor.

    Raises:
        InputError: `strength` is negative.
    """
    if strength < 0:
        raise InputError(f"{where}: expected a strength of 0 or more, received {strength}.")
