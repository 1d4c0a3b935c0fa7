"""Gives the functions of a training the same names in every process. TensorFlow numbers all functions consecutively and
looks up a compiled step by the name of its function."""

from __future__ import annotations

import tensorflow as tf
from tensorflow.python.framework import ops

_ROUND = 2**18
"""More numbers than the stages before a training use. Counting to it takes a few hundredths of a second."""


def number_from_a_round_one() -> None:
    """Advances TensorFlow's counter to the next multiple of a round number, plus 1."""
    # The first function also takes one-time numbers; create it before counting.
    tf.function(lambda: tf.constant(0), autograph=False).get_concrete_function()
    while ops.uid() % _ROUND:
        pass
