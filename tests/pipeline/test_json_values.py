from __future__ import annotations

import numpy as np

from pipeline.json_values import jsonable


def test_texts_numbers_and_bytes() -> None:
    assert jsonable(np.array([[b"a", "\u00fc".encode()], [b"\xff", b""]], object)) == [
        ["a", "ü"],
        [{"b64": "/w=="}, ""],
    ]
    assert jsonable(np.array([1.5, 2.0], np.float32)) == [1.5, 2.0]
    assert jsonable(np.array(2**62)) == 2**62
    assert jsonable(np.array(7, object)) == 7
    assert jsonable(np.zeros((2, 0), object)) == [[], []]
