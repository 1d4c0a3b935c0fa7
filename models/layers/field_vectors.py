"""FieldVectors: the embeddings of an example as vectors of one width."""

from __future__ import annotations

from itertools import groupby
from typing import Any

import keras
from keras import ops

from models.layers.stacked_dense import StackedDense


@keras.saving.register_keras_serializable(package="gatewise")
class FieldVectors(keras.layers.Layer):
    """Splits x into its embeddings and maps each to the same width.

    out[b, f] = x_f of an embedding of this width, else x_f @ W_f + b_f, with a map of its own for each embedding.

    Args:
        fields: widths of the embeddings at the start of x. The columns after them are not read.
        width: width of the vectors.

    Call: (batch, dim) -> (batch, field, width).
    """

    def __init__(self, fields: tuple[int, ...], width: int, **layer: Any) -> None:
        super().__init__(**layer)
        self.fields = tuple(fields)
        self.width = width
        self.runs = runs(self.fields)
        self.maps = {
            str(start): StackedDense(
                count, width, kernel_initializer="glorot_uniform", name=f"map_{start}", dtype=self.dtype_policy
            )
            for start, count, of_run in self.runs
            if of_run != width
        }

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        for start, count, width in self.runs:
            if width != self.width:
                self.maps[str(start)].build((None, count, width))

    def call(self, x: Any) -> Any:
        parts = []
        for start, count, width in self.runs:
            part = ops.reshape(x[:, start : start + count * width], (-1, count, width))
            parts.append(part if width == self.width else self.maps[str(start)](part))
        return ops.concatenate(parts, axis=1)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (input_shape[0], len(self.fields), self.width)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "fields": self.fields, "width": self.width}


def runs(fields: tuple[int, ...]) -> list[tuple[int, int, int]]:
    """[(first column, number of fields, their width)] of the runs of adjacent fields of one width."""
    found, start = [], 0
    for width, group in groupby(fields):
        count = len(list(group))
        found.append((start, count, width))
        start += count * width
    return found
