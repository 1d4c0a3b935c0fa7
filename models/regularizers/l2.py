"""L2: L2 regularization of dense kernels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import keras
from keras import ops

from models.recipe.errors import InputError
from models.regularizers.base import Regularizer

if TYPE_CHECKING:
    from models.recipe.option_types import Strength


@keras.saving.register_keras_serializable(package="gatewise")
class L2(Regularizer):
    """L2 regularization of the dense kernels; suits networks that are large for their data.

    loss term = strength * sum of squares of all dense kernels, including experts, gates and towers. Biases and embedding
    tables are excluded: otherwise every batch would shrink rare rows that it does not read, and each step would be a
    pass over the whole table. `frequency_l2` regularizes embeddings.

    Args:
        strength: factor, 0 or more.

    Raises:
        InputError: `strength` is negative.
    """

    def __init__(self, *, strength: Strength = 1e-6) -> None:
        if strength < 0:
            raise InputError(f"l2: expected a strength of 0 or more, received {strength}.")
        self.strength = strength

    def call(self, variables: Sequence[keras.Variable]) -> Any:
        squares = [ops.sum(ops.square(variable.value)) for variable in variables if variable.name == "kernel"]
        return self.strength * sum(squares, start=ops.zeros(()))

    def get_config(self) -> dict[str, Any]:
        return {"strength": self.strength}
