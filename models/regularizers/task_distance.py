"""TaskDistance: the distance between the weights of the tasks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import keras
from keras import ops

from models.layers.task_norms import mean_distance
from models.regularizers.base import TaskRegularizer, check_strength

if TYPE_CHECKING:
    from models.recipe.option_types import Strength


@keras.saving.register_keras_serializable(package="gatewise")
class TaskDistance(TaskRegularizer):
    """Joins tasks with near weights and leaves distant tasks apart; suits tasks of which some are alike and some are not.

        loss term = strength * sum over the layers of each task, of the mean over pairs of tasks of |w_s - w_t|

    The norm is not squared: its pull does not grow with the distance, so that it closes small distances and gives way to
    large ones. Convex clustering of the tasks: Hocking et al., Clusterpath, ICML 2011
    (https://icml.cc/2011/papers/419_icmlpaper.pdf). Deviation: the term enters by its gradient, so that joined tasks stay
    apart by about a learning rate.

    Args:
        strength: factor, 0 or more.

    Raises:
        InputError: `strength` is negative.
    """

    def __init__(self, *, strength: Strength = 1e-4) -> None:
        check_strength("task_distance", strength)
        self.strength = strength

    def call(self, stacks: Sequence[Any], tasks: tuple[str, ...]) -> Any:
        return self.strength * sum(map(mean_distance, stacks), start=ops.zeros(()))

    def get_config(self) -> dict[str, Any]:
        return {"strength": self.strength}
