"""Linear, by hand."""

from __future__ import annotations

import numpy as np

from models.architectures.encoded import Encoded
from models.architectures.linear import Linear
from models.architectures.task_info import TaskInfo


def test_a_number_by_hand() -> None:
    layer = Linear((TaskInfo(name="click", kind="binary"), TaskInfo(name="spent", kind="regression", outputs=2)))
    layer.build(Encoded((None, 2)))
    for variable, value in zip(layer.variables, [[[2], [-1]], [0.5], [[1, 0], [3, -2]], [0, 1]], strict=True):
        variable.assign(np.array(value, np.float32))
    logits = layer(Encoded(np.array([[3.0, 4.0]], np.float32)))
    assert logits["click"].numpy().tolist() == [2.5], "2 * 3 - 4 + 0.5"
    assert logits["spent"].numpy().tolist() == [[15.0, -7.0]], "3 + 3 * 4, and 1 - 2 * 4"
