"""MaskNet: blocks that multiply the features by masks computed from all features."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import keras
from keras import ops

from models.backbones.base import Backbone
from models.layers.field_vectors import runs
from models.layers.stacked_dense import StackedDense

if TYPE_CHECKING:
    from models.recipe.option_types import Levels, Size


@keras.saving.register_keras_serializable(package="gatewise")
class MaskNet(Backbone):
    """Multiplies the features by masks that are computed from all of them; suits features that matter only in some contexts.

    block(v) = relu(LN(W (mask(x) * v) + b)), mask(x) = W_2 relu(W_1 x + b_1) + b_2, each block with its own W, b and LN.
    Parallel: out = [block_1(v_0), ..., block_n(v_0)]. Serial: out = block_n(... block_1(v_0)).
    v_0 is x with layer normalization (LN) of each embedding, and a learnt scale and shift of each column.

    Wang, She, Zhang: MaskNet: Introducing Feature-Wise Multiplication to CTR Ranking Models by Instance-Guided Mask,
    DLP-KDD 2021 (https://arxiv.org/abs/2102.07619). Deviation: numbers and embeddings of one number
    are not normalized, because LN would make them 0.

    Args:
        mode: "parallel": all blocks read the features. "serial": each block reads the one before it.
        blocks: number of blocks.
        units: size of the output of each block.
        mask_units: size of the hidden layer of each mask.
    """

    def __init__(
        self,
        *,
        mode: Literal["parallel", "serial"] = "parallel",
        blocks: Levels = 3,
        units: Size = 128,
        mask_units: Size = 128,
        **layer: Any,
    ) -> None:
        super().__init__(**layer)
        self.mode = mode
        self.blocks = blocks
        self.units = units
        self.mask_units = mask_units
        together = [1] * blocks if mode == "serial" else [blocks]
        self.stack = [
            MaskBlocks(count, units, mask_units, name=f"blocks_{level}", dtype=self.dtype_policy)
            for level, count in enumerate(together)
        ]
        self.normalize = keras.layers.LayerNormalization(
            center=False, scale=False, name="normalize", dtype=self.dtype_policy
        )

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        dim = input_shape[-1]
        self.normalize.build((None, None, 1))
        self.scale = self.add_weight(shape=(dim,), initializer="ones", name="scale")
        self.shift = self.add_weight(shape=(dim,), initializer="zeros", name="shift")
        read: tuple[int | None, ...] = (None, dim)
        for blocks in self.stack:
            blocks.build(read, (None, dim))
            read = (None, blocks.count, self.units)

    def call(self, x: Any, training: bool | None = None) -> Any:
        out = self._normalized(x)
        for blocks in self.stack:
            out = blocks(out, x)  # (batch, block, units)
        return ops.reshape(out, (-1, out.shape[1] * self.units))

    def _normalized(self, x: Any) -> Any:
        parts = []
        for start, count, width in runs(self.fields):
            part = x[:, start : start + count * width]
            if width > 1:
                each = self.normalize(ops.reshape(part, (-1, count, width)))
                part = ops.reshape(each, (-1, count * width))
            parts.append(part)
        normalized = ops.concatenate([*parts, x[:, sum(self.fields) :]], axis=-1)
        return normalized * ops.convert_to_tensor(self.scale) + ops.convert_to_tensor(self.shift)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (*input_shape[:-1], self.units * (1 if self.mode == "serial" else self.blocks))

    def get_config(self) -> dict[str, Any]:
        options = {"mode": self.mode, "blocks": self.blocks, "units": self.units, "mask_units": self.mask_units}
        return {**super().get_config(), **options}


@keras.saving.register_keras_serializable(package="gatewise")
class MaskBlocks(keras.layers.Layer):
    """Mask blocks of one size, computed together.

    Args:
        count: number of blocks.
        units: size of the output of each block.
        mask_units: size of the hidden layer of each mask.

    Call: v: (batch, in) or (batch, block, in), x: (batch, dim) -> (batch, block, units).
    """

    def __init__(self, count: int, units: int, mask_units: int, **layer: Any) -> None:
        super().__init__(**layer)
        self.count = count
        self.units = units
        self.mask_units = mask_units
        policy = self.dtype_policy
        self.hidden = StackedDense(count, mask_units, activation="relu", name="mask_hidden", dtype=policy)
        self.out = StackedDense(count, units, name="out", dtype=policy)
        self.normalize = keras.layers.LayerNormalization(center=False, scale=False, name="normalize", dtype=policy)

    def build(self, v_shape: tuple[int | None, ...], x_shape: tuple[int | None, ...]) -> None:
        width = v_shape[-1] or 0
        self.mask = StackedDense(
            self.count, width, kernel_initializer="glorot_uniform", name="mask", dtype=self.dtype_policy
        )
        self.hidden.build(x_shape)
        self.mask.build((None, self.count, self.mask_units))
        self.out.build((None, self.count, width))
        self.normalize.build((None, self.count, self.units))
        self.scale = self.add_weight(shape=(self.count, self.units), initializer="ones", name="scale")
        self.shift = self.add_weight(shape=(self.count, self.units), initializer="zeros", name="shift")

    def call(self, v: Any, x: Any) -> Any:
        mask = self.mask(self.hidden(x))  # (batch, block, in)
        v = v if len(v.shape) == 3 else ops.expand_dims(v, 1)
        normalized = self.normalize(self.out(mask * v))
        return ops.relu(normalized * ops.convert_to_tensor(self.scale) + ops.convert_to_tensor(self.shift))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "count": self.count, "units": self.units, "mask_units": self.mask_units}
