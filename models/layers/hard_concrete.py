"""HardConcrete: gates between 0 and 1 that training can close entirely."""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

from models.layers.random_bits import uniform

_BETA, _GAMMA, _ZETA = 2.0 / 3.0, -0.1, 1.1


@keras.saving.register_keras_serializable(package="gatewise")
class HardConcrete(keras.layers.Layer):
    """Gates z in [0, 1] whose expected number of non-zeros has a gradient.

    Training:  s = sigmoid((log u - log(1 - u) + log_alpha) / beta), u ~ uniform(0, 1); one draw per gate and step
    Inference: s = sigmoid(log_alpha)
    z = min(1, max(0, s (zeta - gamma) + gamma)), beta = 2/3, gamma = -0.1, zeta = 1.1
    P(z > 0) = sigmoid(log_alpha - beta log(-gamma / zeta))

    At inference a gate is exactly 0 if log_alpha is below -2.398, and exactly 1 if it is above 2.398. It starts at 0.5.
    All examples and all replicas of a step share a draw. The draws depend on the seed and the number of the step, which
    Keras' `seed_generator_state` holds. All values are float32 in any precision.

    Louizos et al., Learning Sparse Neural Networks through L0 Regularization, ICLR 2018
    (https://arxiv.org/abs/1712.01312).

    Args:
        gates: shape of the gates.
        seed: seed of the layer. Default: derived from `keras.utils.set_random_seed`.

    Call: training=None -> z with the shape of the gates.
    """

    def __init__(self, gates: tuple[int, ...], *, seed: int | None = None, **layer: Any) -> None:
        super().__init__(**layer)
        self.gates = tuple(gates)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def build(self, input_shape: Any = None) -> None:
        self.log_alpha = self.add_weight(
            shape=self.gates, initializer="zeros", dtype="float32", autocast=False, name="log_alpha"
        )

    def call(self, training: bool | None = None) -> Any:
        logit = self.log_alpha.value
        if training:
            u = uniform(self.seed_generator.next(), self.gates)
            logit = (ops.log(u) - ops.log(1.0 - u) + logit) / _BETA
        return ops.clip(ops.sigmoid(logit) * (_ZETA - _GAMMA) + _GAMMA, 0.0, 1.0)

    def expected_open(self) -> Any:
        """Expected number of gates that are not 0 in training: sum of P(z > 0)."""
        return ops.sum(ops.sigmoid(self.log_alpha.value - _BETA * math.log(-_GAMMA / _ZETA)))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "gates": self.gates, "seed": self.seed}
