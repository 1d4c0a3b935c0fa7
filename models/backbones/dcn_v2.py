"""DCNv2: explicit feature crosses of bounded degree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
from keras import ops

from models.backbones.base import Backbone
from models.layers.gate import Gate, mix
from models.recipe.errors import InputError

if TYPE_CHECKING:
    from models.recipe.option_types import ExpertCount, Levels, Rank


@keras.saving.register_keras_serializable(package="gatewise")
class DCNv2(Backbone):
    """Computes explicit feature crosses, one degree per layer; suits interactions such as user segment by item category.

    Full matrix (rank 0): x_{l+1} = x_0 * (W_l x_l + b_l) + x_l.
    Low rank (rank r): x_{l+1} = sum_k g_k(x_l) x_0 * (U_lk tanh(C_lk tanh(V_lk x_l)) + b_l) + x_l, with V_lk x_l of r
    numbers, C_lk of (r, r), and g = softmax over the experts k; with one expert g = 1.

    Wang et al., DCN V2: Improved Deep & Cross Network and Practical Lessons for Web-scale Learning to Rank Systems,
    WWW 2021 (https://arxiv.org/abs/2008.13535), equations 1 and 5. The architecture after it is the deep part of the
    paper's stacked structure. Each layer costs 2 dim^2 multiplications per example, or with a rank
    2 experts (2 dim rank + rank^2).

    Args:
        layers: number of cross layers. The crosses have up to layers + 1 features.
        rank: rank of the low-rank layers. 0: full matrices.
        experts: number of low-rank maps of each layer, mixed by a gate.

    Raises:
        InputError: several experts with full matrices.
    """

    def __init__(self, *, layers: Levels = 2, rank: Rank = 0, experts: ExpertCount = 1, **layer: Any) -> None:
        super().__init__(**layer)
        if experts > 1 and rank == 0:
            raise InputError(
                f"dcn_v2: expected a rank for its {experts} experts, received rank=0; write for example rank=64."
            )
        self.layers = layers
        self.rank = rank
        self.experts = experts
        policy = self.dtype_policy
        self.gates = [Gate(experts, name=f"gate_{i}", dtype=policy) for i in range(layers)] if experts > 1 else []
        self.maps: list[keras.layers.Layer] = []

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        dim = input_shape[-1]
        sizes = (self.rank, self.rank, dim) if self.rank else (dim,)
        self.maps = [
            keras.layers.Dense(
                size,
                "tanh" if place < len(sizes) - 1 else None,
                use_bias=False,
                name=f"map_{level}_{expert}_{place}",
                dtype=self.dtype_policy,
            )
            for level in range(self.layers)
            for expert in range(self.experts)
            for place, size in enumerate(sizes)
        ]
        for place, layer in enumerate(self.maps):
            layer.build((None, dim if place % len(sizes) == 0 else self.rank))
        for gate in self.gates:
            gate.build(input_shape)
        self.biases = [
            self.add_weight(shape=(dim,), initializer="zeros", name=f"bias_{level}") for level in range(self.layers)
        ]

    def call(self, x: Any, training: bool | None = None) -> Any:
        first, each = x, len(self.maps) // self.layers
        for level in range(self.layers):
            mapped = self._mapped(x, level, self.maps[level * each : (level + 1) * each])
            x = (
                first * (mapped + ops.convert_to_tensor(self.biases[level])) + x
            )  # no BiasAdd: see models/layers/dense.py
        return x

    def _mapped(self, x: Any, level: int, maps: list[keras.layers.Layer]) -> Any:
        """(batch, dim) -> (batch, dim): the linear map of the level, or its mixture of low-rank maps."""
        each, outputs = len(maps) // self.experts, []
        for expert in range(self.experts):
            y = x
            for layer in maps[expert * each : (expert + 1) * each]:
                y = layer(y)
            outputs.append(y)
        return mix(self.gates[level](x), ops.stack(outputs, axis=1)) if self.gates else outputs[0]

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "layers": self.layers, "rank": self.rank, "experts": self.experts}
