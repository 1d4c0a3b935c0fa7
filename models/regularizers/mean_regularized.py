"""MeanRegularized: the weights of the tasks stay near their mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import keras
from keras import ops

from models.layers.task_norms import squared_distance_to_mean
from models.regularizers.base import TaskRegularizer, check_strength

if TYPE_CHECKING:
    from models.recipe.option_types import Strength


@keras.saving.register_keras_serializable(package="gatewise")
class MeanRegularized(TaskRegularizer):
    """Draws the weights of the tasks to their mean; suits similar tasks, some with little data.

        loss term = strength * sum over the layers of each task, over tasks t, of |w_t - mean|^2

    Evgeniou and Pontil, Regularized multi-task learning, KDD 2004 (https://doi.org/10.1145/1014052.1014067). Deviation:
    kernels only, so that a task keeps its own base rate; the paper also penalizes |mean|^2, for which there is `l2`.

    Args:
        strength: factor, 0 or more.

    Raises:
        InputError: `strength` is negative.
    """

    def __init__(self, *, strength: Strength = 1e-4) -> None:
        check_strength("mean_regularized", strength)
        self.strength = strength

    def call(self, stacks: Sequence[Any], tasks: tuple[str, ...]) -> Any:
        return self.strength * sum(map(squared_distance_to_mean, stacks), start=ops.zeros(()))

    def get_config(self) -> dict[str, Any]:
        return {"strength": self.strength}
