"""A training's functions get the same names whatever its process did before: TensorFlow numbers all it makes, one after the
other, and finds a compiled step by the name of its function."""

from __future__ import annotations

from tensorflow.python.framework import ops

_ROUND = 2**18
"""More than the stages before a training use, and counted to in a few hundredths of a second."""


def number_from_a_round_one() -> None:
    """Lets TensorFlow go on with the next multiple of a round number, plus 1."""
    ops.uid()  # The first of a process is 0, a multiple itself.
    while ops.uid() % _ROUND:
        pass
