"""L2: large weights cost."""

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
    """L2 penalty on the kernels of the dense layers, for networks that are large for their data.

    penalty = strength * sum of squares of all dense kernels, those of experts, gates and towers included. Biases and
    embedding tables cost nothing: a table's rare rows would be pulled to zero by every batch they are not in, and each
    step would be a pass over the whole table (`frequency_l2` is the penalty of embeddings).

    Args:
        strength: factor, 0 or more.

    Raises:
        InputError: a negative strength.
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
