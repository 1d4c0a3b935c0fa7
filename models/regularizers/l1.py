"""L1: L1 regularization of dense kernels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import keras
from keras import ops

from models.regularizers.base import Regularizer, check_strength

if TYPE_CHECKING:
    from models.recipe.option_types import Strength


@keras.saving.register_keras_serializable(package="gatewise")
class L1(Regularizer):
    """L1 regularization of the dense kernels; suits networks in which few weights of a layer matter.

    loss term = strength * sum of absolute values of all dense kernels, including experts, gates and towers. Biases and
    embedding tables are excluded, as in `l2`.

    Tibshirani, Regression shrinkage and selection via the lasso, JRSS B 58, 1996
    (https://doi.org/10.1111/j.2517-6161.1996.tb02080.x). Deviation: the term enters by its gradient, so that a weight comes
    to within about a learning rate of 0 instead of to 0. `block_sparse` sets whole rows to 0.

    Args:
        strength: factor, 0 or more.

    Raises:
        InputError: `strength` is negative.
    """

    def __init__(self, *, strength: Strength = 1e-6) -> None:
        check_strength("l1", strength)
        self.strength = strength

    def call(self, variables: Sequence[keras.Variable]) -> Any:
        sums = [ops.sum(ops.abs(variable.value)) for variable in variables if variable.name == "kernel"]
        return self.strength * sum(sums, start=ops.zeros(()))

    def get_config(self) -> dict[str, Any]:
        return {"strength": self.strength}
