"""Dot: the dot products of all pairs of features."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import ops

from models.backbones.base import Backbone
from models.layers.dense import Dense
from models.layers.field_vectors import FieldVectors
from models.recipe.errors import InputError

if TYPE_CHECKING:
    from models.recipe.option_types import Rank


@keras.saving.register_keras_serializable(package="gatewise")
class Dot(Backbone):
    """Appends the dot products of all pairs of embeddings, as in DLRM; suits up to about 50 features whose pairwise matches matter.

    out = [x, (v_i . v_j for i < j)], with v_f the embedding of a feature, or its linear map to `dim` numbers if it has
    another width, and as the last v a linear map of all numbers.

    With F vectors, the output is F (F - 1) / 2 wider than x.

    Naumov et al., Deep Learning Recommendation Model for Personalization and Recommendation Systems, 2019
    (https://arxiv.org/abs/1906.00091). Deviations: x itself stands beside the products, the numbers pass one linear layer
    instead of an MLP, and the embeddings may differ in width.

    Args:
        dim: width of the vectors. 0: that of the widest embedding.

    Raises:
        InputError: x has fewer than two vectors.
    """

    def __init__(self, *, dim: Rank = 0, **layer: Any) -> None:
        super().__init__(**layer)
        self.dim = dim

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        numbers = (input_shape[-1] or 0) - sum(self.fields)
        count = len(self.fields) + (numbers > 0)
        if count < 2:
            raise InputError(
                f"dot: expected two embeddings, or one and numeric features, received {len(self.fields)} embeddings and "
                f"{numbers} numbers. Choose another backbone, such as dcn_v2."
            )
        width = self.dim or max(self.fields)
        self.vectors = FieldVectors(self.fields, width, name="vectors", dtype=self.dtype_policy)
        self.vectors.build(input_shape)
        self.of_numbers = (
            Dense(width, kernel_initializer="glorot_uniform", name="of_numbers", dtype=self.dtype_policy)
            if numbers
            else None
        )
        if self.of_numbers is not None:
            self.of_numbers.build((None, numbers))

    def call(self, x: Any, training: bool | None = None) -> Any:
        vectors = self.vectors(x)
        if self.of_numbers is not None:
            of_numbers = self.of_numbers(x[:, sum(self.fields) :])
            vectors = ops.concatenate([vectors, ops.expand_dims(of_numbers, 1)], axis=1)
        count = vectors.shape[1]
        products = ops.matmul(vectors, ops.transpose(vectors, (0, 2, 1)))  # (batch, field, field)
        first, second = np.triu_indices(count, 1)
        pairs = ops.take(ops.reshape(products, (-1, count * count)), (first * count + second).astype("int32"), axis=1)
        return ops.concatenate([x, pairs], axis=-1)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        dim = input_shape[-1] or 0
        count = len(self.fields) + (dim > sum(self.fields))
        return (*input_shape[:-1], dim + count * (count - 1) // 2)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "dim": self.dim}
