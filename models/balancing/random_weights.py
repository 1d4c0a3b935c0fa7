"""RandomWeights: task weights drawn anew in every step."""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

from models.balancing.base import Weighting
from models.balancing.evidence import Evidence
from models.balancing.softmax import softmax
from models.layers.random_bits import uniform


@keras.saving.register_keras_serializable(package="gatewise")
class RandomWeights(Weighting):
    """Draws random task weights in every step; suits as a second baseline, which any method that adapts weights has to beat.

    v = T softmax(z), with T tasks and z_t drawn from the standard normal distribution; the mean of every v_t is 1. A step
    follows sum_t w_t v_t L_t, with the recipe's weights w_t.

    Lin et al., Reasonable Effectiveness of Random Weighting: A Litmus Test for Multi-Task Learning, TMLR 2022
    (https://arxiv.org/abs/2111.10603), random loss weighting with the normal distribution. Deviations: the factor T and
    the recipe's weights, so that a single task has its weight of the recipe. The paper's weights sum to 1.

    The draws follow from the seed, and belong to the tasks in alphabetical order, so that the order of the tasks in the
    recipe does not change them. Cost of a step: negligible.

    Args:
        tasks: names of the tasks.
        weights: weight of each task's loss, multiplied by v_t.
    """

    def __init__(self, tasks: tuple[str, ...], weights: tuple[float, ...], **layer: Any) -> None:
        super().__init__(tasks, weights, **layer)
        self.seed_generator = keras.random.SeedGenerator()
        alphabetical = sorted(self.tasks)
        self._places = [alphabetical.index(task) for task in self.tasks]

    def weigh(self, evidence: Evidence) -> Any:
        fixed = ops.convert_to_tensor(self.task_weights, dtype="float32")
        quantiles = uniform(self.seed_generator.next(), (len(self.tasks),))
        draws = ops.take(math.sqrt(2.0) * ops.erfinv(2.0 * quantiles - 1.0), self._places)
        return fixed * len(self.tasks) * softmax(draws, ops.ones_like(draws, dtype="bool"))
