"""Counts the multiply-adds of a model's matrix products for one example, in the program that XLA receives."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

import tensorflow as tf

from models.features.input_pipeline import Columns
from models.training.multi_task_model import MultiTaskModel

_PRODUCT = re.compile(r"= \w+\[([\d,]*)\]\S* (?:dot|convolution)\(\w+\[([\d,]*)\].*?lhs_contracting_dims=\{([\d,]*)\}")


def multiply_adds(model: MultiTaskModel, data: Columns) -> int:
    """The multiply-adds of all matrix products of one prediction.

    A product of (..., m, k) and (..., k, n) has m n k times the number of matrices. Additions, activations and the gathers of embedding
    rows do not count.

    Args:
        model: built model.
        data: one example at least.
    """
    ask = tf.function(model.predictions, jit_compile=True, autograph=False)
    example = {name: tf.constant(array[:1]) for name, array in data.arrays.items()}
    return counted(ask.experimental_get_compiler_ir(example)(stage="hlo"))


def counted(program: str) -> int:
    """The multiply-adds of the matrix products in an HLO program, as text."""
    return sum(_each(program))


def _each(program: str) -> Iterator[int]:
    for found in _PRODUCT.finditer(program):
        out, left, contracted = (tuple(map(int, filter(None, group.split(",")))) for group in found.groups())
        yield math.prod(out) * math.prod(left[axis] for axis in contracted)
