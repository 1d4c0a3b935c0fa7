"""Adversaries: networks that predict what the representation is to forget."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras import ops

from models.layers.tower import Tower

UNITS = (64, 32)
"""Hidden layers of an adversary."""


@keras.saving.register_keras_serializable(package="gatewise")
class Adversaries(keras.layers.Layer):
    """One network for each adversarial task, behind a reversed gradient.

        a_k = tower_k(R(h)),   R(h) = h,   dR/dh = -I

    An adversary learns to predict its label from the representation h, and h learns to make that impossible. At the end h says
    nothing about the label that a network of this size finds. Ganin et al., Domain-Adversarial Training of Neural Networks,
    JMLR 2016 (https://arxiv.org/abs/1505.07818). Deviation: the factor of the reversed gradient is constant, the weight of the
    task; the paper raises it from 0 during the training.

    Args:
        outputs: {adversarial task: number of logits}.
        factors: weight of the loss of each adversarial task.

    Call: (batch, width) -> {task: (batch,) logits, or (batch, outputs)}.
    """

    def __init__(self, outputs: Mapping[str, int], factors: Sequence[float], **layer: Any) -> None:
        super().__init__(**layer)
        self.outputs = tuple(outputs.items())
        self.names = tuple(name for name, _ in self.outputs)
        self.factors = tuple(zip(self.names, factors, strict=True))
        self.towers = [
            Tower(UNITS, outputs=count, name=f"{name}_adversary", dtype=self.dtype_policy)
            for name, count in self.outputs
        ]

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        for tower in self.towers:
            tower.build(input_shape)

    def call(self, representation: Any, training: bool | None = None) -> dict[str, Any]:
        reversed_ = reverse_gradient(representation)
        return {name: tower(reversed_, training=training) for name, tower in zip(self.names, self.towers, strict=True)}

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "outputs": dict(self.outputs),
            "factors": [factor for _, factor in self.factors],
        }


def reverse_gradient(x: Any) -> Any:
    """x, with the gradient of -x."""
    return ops.stop_gradient(2 * x) - x
