"""TraceNorm: the weights of the tasks lie in a space of few dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import keras
from keras import ops

from models.layers.task_norms import trace_norm
from models.regularizers.base import TaskRegularizer, check_strength

if TYPE_CHECKING:
    from models.recipe.option_types import Strength


@keras.saving.register_keras_serializable(package="gatewise")
class TraceNorm(TaskRegularizer):
    """Makes the weights of the tasks combinations of a few shared ones; suits four or more tasks with a few causes in common.

        loss term = strength * sum over the layers of each task of |W|_*

    W is the matrix (task, parameter) of a layer and |W|_* the sum of its singular values, a convex bound of its rank: "last
    axis flattening" of Yang and Hospedales, Trace norm regularised deep multi-task learning, 2016
    (https://arxiv.org/abs/1606.04038). `models.layers.task_norms` states the numerical error: about 0.1 % times the root of
    the number of tasks. Deviation: the term enters by its gradient, so that singular values come near 0 instead of to 0.

    Args:
        strength: factor, 0 or more.

    Raises:
        InputError: `strength` is negative.
    """

    def __init__(self, *, strength: Strength = 1e-4) -> None:
        check_strength("trace_norm", strength)
        self.strength = strength

    def call(self, stacks: Sequence[Any], tasks: tuple[str, ...]) -> Any:
        return self.strength * sum(map(trace_norm, stacks), start=ops.zeros(()))

    def get_config(self) -> dict[str, Any]:
        return {"strength": self.strength}
