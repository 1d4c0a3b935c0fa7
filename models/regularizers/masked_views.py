"""MaskedViews: self-supervised learning from two masked views of the same example."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
from keras import ops

from models.regularizers.base import RepresentationRegularizer, check_strength

if TYPE_CHECKING:
    from models.recipe.option_types import Dropout, Strength, Temperature

_SMALLEST = 1e-12


@keras.saving.register_keras_serializable(package="gatewise")
class MaskedViews(RepresentationRegularizer):
    """Tells the two masked views of an example from the views of the other examples; suits few labels beside many impressions.

        loss term = strength * mean_i -log( exp(s_ii / temperature) / sum_j exp(s_ij / temperature) )

    s_ij is the cosine of the representation of example i with some features masked, and of example j with others masked. The
    representation has to guess the masked features from the others, and learns how the features of an example go together.
    It learns this from all examples, also from those without an observed label. A step calls the network three times.
    Yao et al., Self-supervised Learning for Large-scale Item Recommendations, CIKM 2021 (https://arxiv.org/abs/2007.12865).
    Deviation: features are masked independently of each other; the paper also masks features together that tell of each other.
    On several devices, an example is told from those on its device.

    Args:
        strength: factor of the term, 0 or more.
        masked: share of the features that a view lacks.
        temperature: how much the nearest other examples count more than the others.

    Raises:
        InputError: the strength is negative.
    """

    def __init__(self, *, strength: Strength = 0.1, masked: Dropout = 0.3, temperature: Temperature = 0.2) -> None:
        check_strength("masked_views.strength", strength)
        self.strength, self.masked, self.temperature = strength, masked, temperature

    def call(self, first: Any, second: Any) -> Any:
        first, second = _unit(first), _unit(second)
        similar = ops.matmul(first, ops.transpose(second)) / self.temperature  # (batch, batch)
        own = ops.sum(first * second, axis=-1) / self.temperature
        return self.strength * ops.mean(ops.logsumexp(similar, axis=-1) - own)

    def get_config(self) -> dict[str, Any]:
        return {"strength": self.strength, "masked": self.masked, "temperature": self.temperature}


def _unit(x: Any) -> Any:
    """(batch, width), in float32 and of length 1."""
    x = ops.cast(x, "float32")
    return x * ops.rsqrt(ops.sum(ops.square(x), axis=-1, keepdims=True) + _SMALLEST)
