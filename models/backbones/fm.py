"""FM: the second-order term of a factorization machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
from keras import ops

from models.backbones.base import Backbone
from models.layers.field_vectors import FieldVectors
from models.recipe.errors import InputError

if TYPE_CHECKING:
    from models.recipe.option_types import Rank


@keras.saving.register_keras_serializable(package="gatewise")
class FM(Backbone):
    """Appends the sum of the products of all pairs of features, one per dimension; suits many features, at a cost linear in them.

    out = [x, sum_{i<j} v_i * v_j], by sum_{i<j} v_i * v_j = ((sum_i v_i)^2 - sum_i v_i^2) / 2 for each dimension,
    with v_f the embedding of a feature, or its linear map to `dim` numbers if it has another width. A number x_n has
    v_n = x_n V_n with a learnt vector V_n. The output is `dim` wider than x.

    Rendle, Factorization Machines, ICDM 2010 (https://doi.org/10.1109/ICDM.2010.127), lemma 3.1. Deviations: the products
    are not summed over the dimensions, so that the architecture weighs them (the bi-interaction pooling of He and Chua,
    Neural Factorization Machines, SIGIR 2017, https://arxiv.org/abs/1708.05027), and the vectors are the embeddings that
    the architecture reads as well.

    Args:
        dim: width of the vectors. 0: that of the widest embedding.

    Raises:
        InputError: no embedding and no `dim`.
    """

    def __init__(self, *, dim: Rank = 0, **layer: Any) -> None:
        super().__init__(**layer)
        self.dim = dim

    def _width(self) -> int:
        if not self.fields and not self.dim:
            raise InputError("fm: expected a dim, because no feature has an embedding, received dim=0; write dim=16.")
        return self.dim or max(self.fields)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        width, numbers = self._width(), (input_shape[-1] or 0) - sum(self.fields)
        self.vectors = (
            FieldVectors(self.fields, width, name="vectors", dtype=self.dtype_policy) if self.fields else None
        )
        if self.vectors is not None:
            self.vectors.build(input_shape)
        self.of_numbers = (
            self.add_weight(shape=(numbers, width), initializer="glorot_uniform", name="of_numbers")
            if numbers
            else None
        )

    def call(self, x: Any, training: bool | None = None) -> Any:
        # In float32: the two terms nearly cancel out if one vector is much longer than the others.
        total, squares = 0.0, 0.0
        if self.vectors is not None:
            vectors = ops.cast(self.vectors(x), "float32")
            total, squares = ops.sum(vectors, axis=1), ops.sum(ops.square(vectors), axis=1)
        if self.of_numbers is not None:
            numbers = ops.cast(x[:, sum(self.fields) :], "float32")
            kernel = ops.cast(ops.convert_to_tensor(self.of_numbers), "float32")
            total += ops.matmul(numbers, kernel)
            squares += ops.matmul(ops.square(numbers), ops.square(kernel))
        pooled = ops.cast(0.5 * (ops.square(total) - squares), x.dtype)
        return ops.concatenate([x, pooled], axis=-1)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (*input_shape[:-1], (input_shape[-1] or 0) + self._width())

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "dim": self.dim}
