"""Fixed: the task weights of the recipe."""

from __future__ import annotations

from typing import Any

import keras

from models.balancing.base import Weighting
from models.balancing.evidence import Evidence


@keras.saving.register_keras_serializable(package="gatewise")
class Fixed(Weighting):
    """Weights the losses by the fixed task weights of the recipe (default); the baseline for other balancers.

    Cost of a step: none.

    Args:
        tasks: names of the tasks.
        weights: weight of each task's loss.
    """

    changes = False

    def weigh(self, evidence: Evidence) -> Any:
        return keras.ops.convert_to_tensor(self.task_weights, dtype=evidence.losses.dtype)
