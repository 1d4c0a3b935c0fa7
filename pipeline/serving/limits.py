"""Limits on the tensors of a request: a few bytes can declare more values than fit into memory."""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf

from pipeline.serving.status import Refusal

MOST_VALUES = 2**24
"""Maximum number of values of one tensor."""

MOST_CLAIMED = 4096
"""Number of values that a tensor may always declare. Above it, the limit is the request's size in bytes. A TensorProto with a
shape and one value repeats the value."""


def check_claim(name: str, sizes: list[int], request_bytes: int) -> None:
    """Checks the shape of a tensor of a request.

    Args:
        name: name of the input.
        sizes: the shape. A size of 0 counts as 1, because such a tensor still has rows.
        request_bytes: size of the whole request.

    Raises:
        Refusal: the tensor declares too many values.
    """
    claimed = math.prod(max(size, 1) for size in sizes)
    if claimed > MOST_VALUES:
        raise Refusal("INVALID_ARGUMENT", f"Input {name!r}: {claimed} values are more than {MOST_VALUES}")
    if claimed > max(MOST_CLAIMED, request_bytes):
        raise Refusal(
            "INVALID_ARGUMENT",
            f"Input {name!r}: a shape of {claimed} values is more than a request of {request_bytes} bytes may declare; expected "
            f"at most {MOST_CLAIMED}, or the number of its bytes. Send each value.",
        )


def check_examples(name: str, values: Any) -> None:
    """Checks serialized tf.Examples: the longest list of a feature is the width of all rows.

    Args:
        name: name of the input.
        values: (batch,) bytes. Values that are not tf.Examples are ignored; the model refuses them.

    Raises:
        Refusal: the examples form a tensor with too many values.
    """
    longest = 1
    for text in values:
        if len(text) * len(values) > MOST_VALUES:  # otherwise no list can be long enough
            longest = max(longest, _longest(text))
    if longest * len(values) > MOST_VALUES:
        raise Refusal(
            "INVALID_ARGUMENT",
            f"Input {name!r}: {len(values)} examples with a list of {longest} values make more than {MOST_VALUES}. Send them in "
            "smaller batches.",
        )


def _longest(text: bytes) -> int:
    try:
        example = tf.train.Example.FromString(text)
    except Exception:  # protobuf's DecodeError, whose public name differs between versions
        return 0
    lists = (
        getattr(feature, kind).value
        for feature in example.features.feature.values()
        if (kind := feature.WhichOneof("kind"))
    )
    return max(map(len, lists), default=0)
