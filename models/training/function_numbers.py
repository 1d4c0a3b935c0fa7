"""A training's functions get the same names whatever its process did before: TensorFlow numbers all it makes, one after the
other, and finds a compiled step by the name of its function."""

from __future__ import annotations

import tensorflow as tf
from tensorflow.python.framework import ops

_ROUND = 2**18
"""More than the stages before a training use, and counted to in a few hundredths of a second."""


def number_from_a_round_one() -> None:
    """Lets TensorFlow go on with the next multiple of a round number, plus 1."""
    # What TensorFlow numbers once, as its first function is made, is numbered before.
    tf.function(lambda: tf.constant(0), autograph=False).get_concrete_function()
    while ops.uid() % _ROUND:
        pass
