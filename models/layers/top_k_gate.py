"""TopKGate: a gate with at most k weights above 0."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from models.recipe.errors import InputError


def check_k(where: str, k: int, experts: int) -> None:
    """Refuses a gate that selects more experts than there are.

    Raises:
        InputError: `k` is below 1 or above the number of experts.
    """
    if not 1 <= k <= experts:
        raise InputError(f"{where}: expected a k from 1 to the number of experts, {experts}, received k={k}.")


@keras.saving.register_keras_serializable(package="gatewise")
class TopKGate(keras.layers.Layer):
    """Softmax over the k largest logits of an example; the other experts have the weight 0 exactly.

    shares_e = exp(l_e) / sum of exp(l_i) over the k largest l_i if l_e is one of them, else 0, with l = x @ kernel + bias,
    in float32. Of equal logits, the first are taken. An expert that is not selected gets no gradient from the example.

    Shazeer et al., Outrageously Large Neural Networks: The Sparsely-Gated Mixture-of-Experts Layer, ICLR 2017
    (https://arxiv.org/abs/1701.06538). Deviations: no noise on the logits, and a bias.

    Args:
        experts: number of experts.
        k: number of experts with a weight, 1 to `experts`.

    Call: (batch, in) -> (batch, expert) shares, each row sums to 1; and a penalty of 0.

    Raises:
        InputError: `k` is below 1 or above the number of experts.
    """

    def __init__(self, experts: int, k: int, **layer: Any) -> None:
        super().__init__(**{**layer, "dtype": "float32"})
        check_k("top_k", k, experts)
        self.experts = experts
        self.k = k
        self.dense = keras.layers.Dense(experts, name="dense", dtype="float32")

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.dense.build(input_shape)

    def call(self, x: Any) -> tuple[Any, Any]:
        logits = self.dense(x)
        _, selected = ops.top_k(ops.stop_gradient(logits), self.k)  # (batch, k)
        keep = ops.sum(ops.one_hot(selected, self.experts, dtype="float32"), axis=1) > 0.5
        return ops.softmax(ops.where(keep, logits, -1e30)), 0.0

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "experts": self.experts, "k": self.k}
