"""EmbeddingOptimizer: the interface of optimizers that update only the embedding rows in the batch."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import keras
import tensorflow as tf

from models.embedding_optimizers.distinct_rows import DistinctRows, distinct_rows
from models.embedding_optimizers.one_pass import one_pass
from models.recipe.errors import InputError

if TYPE_CHECKING:
    from models.recipe.option_types import Rate


class EmbeddingOptimizer(keras.layers.Layer, abc.ABC):
    """Creates the state of tables, and updates each row in a batch once, by the sum of its gradients.

    A subclass defines the state of a row and the update of row and state by a gradient. A gradient of 0 with the initial
    state must give an update of 0, so that the padding row stays unchanged.
    The state is in non-trainable variables, so it is saved and restored with the model.

    Args:
        learning_rate: learning rate, above 0.

    Raises:
        InputError: `learning_rate` is not above 0.
    """

    def __init__(self, *, learning_rate: Rate = 0.001, **layer: Any) -> None:
        super().__init__(**layer)
        if not learning_rate > 0:
            raise InputError(f"{self.name}: expected a learning_rate above 0, received {learning_rate}.")
        self.learning_rate = float(learning_rate)

    @abc.abstractmethod
    def state_width(self, dim: int) -> int:
        """Size of the state of each row of width `dim`; 0 for none."""

    initial_state = 0.0

    @abc.abstractmethod
    def change(self, gradients: Any, state: Any, step: Any) -> tuple[Any, Any]:
        """The updates to add to rows, and their new state.

        Args:
            gradients: (row, dim) float32, summed over the batch.
            state: (row, state_width).
            step: number of the step as a float, from 1.

        Returns:
            (row, dim) and (row, state_width).
        """

    def build(self, shapes: Sequence[tuple[int, int]]) -> None:
        """Creates the state of the tables. `shapes` are their (rows, dim)."""
        self.states = []
        # No Keras variables: scratch, which need not be saved.
        self.last_positions = [tf.Variable(tf.zeros(rows), trainable=False) for rows, _ in shapes]
        for rows, dim in shapes:
            if width := self.state_width(dim):
                self.states.append(
                    self.add_weight(
                        shape=(rows, width),
                        initializer=one_pass(keras.initializers.Constant(self.initial_state)),
                        trainable=False,
                        autocast=False,
                        name=f"embeddings_{dim}_state",
                    )
                )

    def distinct(self, row_ids: Sequence[Any]) -> list[DistinctRows]:
        """The distinct rows of each table. `row_ids` are the rows that the batch reads: (batch, position) int32."""
        return [
            distinct_rows(last_position, tf.reshape(ids, (-1,)))
            for last_position, ids in zip(self.last_positions, row_ids, strict=True)
        ]

    def apply(
        self, table: keras.Variable, index: int, rows: DistinctRows, gradients: Any, step: Any, rate: Any = 1.0
    ) -> None:
        """Updates the rows of one table.

        Args:
            table: the table variable, (rows, dim).
            index: position of the table in the shapes passed to `build`.
            rows: the rows to update.
            gradients: (position, dim): the summed gradient of each row, at its representative position in `rows`.
            step: number of the step as a float, from 1.
            rate: part of the learning rate that applies at this step.
        """
        if not self.states:
            change, _ = self.change(gradients, gradients[:, :0], step)
        else:
            state = self.states[index]
            change, new = self.change(gradients, tf.gather(state.value, rows.targets), step)
            tf.raw_ops.ResourceScatterUpdate(resource=state.value.handle, indices=rows.targets, updates=new)
        tf.raw_ops.ResourceScatterAdd(resource=table.value.handle, indices=rows.targets, updates=change * rate)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "learning_rate": self.learning_rate}
