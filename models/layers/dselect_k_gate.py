"""DSelectKGate: a differentiable gate that learns to select k experts."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from models.layers.top_k_gate import check_k


@keras.saving.register_keras_serializable(package="gatewise")
class DSelectKGate(keras.layers.Layer):
    """Mixes k selectors, each of which learns the binary code of one expert for each example.

    shares = sum_i softmax(x @ W + c)_i r_i, over k selectors. Selector i has the bits s_i = S(x @ Z_i + d_i), one for each
    digit j of an expert's number in binary, and r_i[e] = prod_j (s_ij if digit j of e is 1, else 1 - s_ij).

    S is the cubic smooth step: 0 below -1/2, 1 above 1/2, and 1/2 + 3/2 z - 2 z^3 between them. At the start, all bits are
    near 1/2 and all experts have a weight. Where all bits have reached 0 or 1, at most k weights of the example are above 0
    and the others are 0 exactly; the gate is continuous all the way there. A bit at 0 or 1 gets no gradient from the example.

    penalty = mean over the examples of sum_i (entropy(r_i) + 1 / valid_i - 1). The entropy drives the bits to 0 and 1. If
    the number of experts is not a power of two, some codes have no expert; valid_i is the sum of r_i over the other codes.

    Hazimeh et al., DSelect-k: Differentiable Selection in the Mixture of Experts with Applications to Multi-Task Learning,
    NeurIPS 2021 (https://arxiv.org/abs/2106.03760), with selectors conditioned on the example. Deviations: r_i is divided
    by valid_i, so that the weights sum to 1 during the training, too; a code without an expert that is reached exactly
    selects the expert of the code without its highest digit; one strength for both terms of the penalty.

    Args:
        experts: number of experts.
        k: number of selectors, 1 to `experts`.

    Call: (batch, in) -> (batch, expert) shares, each row sums to 1; and the penalty, a scalar. Both are float32.

    Raises:
        InputError: `k` is below 1 or above the number of experts.
    """

    def __init__(self, experts: int, k: int, **layer: Any) -> None:
        super().__init__(**{**layer, "dtype": "float32"})
        check_k("dselect_k", k, experts)
        self.experts = experts
        self.k = k
        self.digits = max(1, (experts - 1).bit_length())
        self.bits = _near_zero(k * self.digits, "bits")
        self.mixture = _near_zero(k, "mixture") if k > 1 else None  # the weight of a single selector is 1

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.bits.build(input_shape)
        if self.mixture is not None:
            self.mixture.build(input_shape)

    def call(self, x: Any) -> tuple[Any, Any]:
        codes = selector(smooth_step(ops.reshape(self.bits(x), (-1, self.k, self.digits))))  # (batch, k, 2^digits)
        reached, valid = of_experts(codes, self.experts)
        entropy = -ops.sum(reached * ops.log(reached + _TINY), axis=-1)  # (batch, k)
        penalty = ops.mean(ops.sum(entropy + 1.0 / (valid + _TINY) - 1.0, axis=-1))
        if self.mixture is None:
            return reached[:, 0], penalty
        return ops.einsum("bk,bke->be", ops.softmax(self.mixture(x)), reached), penalty

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "experts": self.experts, "k": self.k}


_TINY = 1e-6


def _near_zero(units: int, name: str) -> Any:
    """Dense layer whose outputs start near 0, where the smooth step has its largest slope."""
    start = keras.initializers.RandomUniform(-0.01, 0.01)
    return keras.layers.Dense(units, name=name, kernel_initializer=start, dtype="float32")


def smooth_step(z: Any) -> Any:
    """0 below -1/2, 1 above 1/2, 1/2 + 3/2 z - 2 z^3 between them."""
    z = ops.clip(z, -0.5, 0.5)
    return 0.5 + 1.5 * z - 2.0 * z * z * z


def selector(bits: Any) -> Any:
    """Weights of all codes: (batch, k, digits) -> (batch, k, 2^digits), the lowest digit first. They sum to 1."""
    codes = ops.ones_like(bits[..., :1])
    for digit in range(bits.shape[-1]):
        bit = bits[..., digit : digit + 1]
        codes = ops.concatenate([codes * (1.0 - bit), codes * bit], axis=-1)
    return codes


def of_experts(codes: Any, experts: int) -> tuple[Any, Any]:
    """Weights of the experts, and the part of the codes that have an expert.

    Args:
        codes: (batch, k, 2^digits) weights that sum to 1.
        experts: number of experts, more than 2^(digits - 1) of them if there are two or more.

    Returns:
        (batch, k, expert) weights that sum to 1, and (batch, k).
    """
    own, surplus = codes[..., :experts], codes[..., experts:]
    if not surplus.shape[-1]:
        return own, ops.sum(own, axis=-1)
    valid = ops.sum(own, axis=-1, keepdims=True)
    first = experts - codes.shape[-1] // 2  # the expert of the first surplus code, without its highest digit
    after = experts - first - surplus.shape[-1]
    moved = ops.pad(surplus, ((0, 0), (0, 0), (first, after)))
    reached = ops.where(valid > _TINY, own / ops.maximum(valid, _TINY), own + moved)
    return reached, valid[..., 0]
