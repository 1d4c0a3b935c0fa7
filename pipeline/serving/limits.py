"""What a request may claim: a few bytes can stand for more values than any memory holds."""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf

from pipeline.serving.status import Refusal

MOST_VALUES = 2**24
"""Of one tensor."""

MOST_CLAIMED = 4096
"""Values that a tensor may claim whatever the request's size: beyond, no more than the request has bytes. A TensorProto with
a shape and one value stands for as many of it."""


def check_claim(name: str, sizes: list[int], request_bytes: int) -> None:
    """Checks the shape of a tensor of a request.

    Args:
        name: of the input.
        sizes: of the shape; one of 0 has no values, but rows all the same.
        request_bytes: of the whole request.

    Raises:
        Refusal: it claims too much.
    """
    claimed = math.prod(max(size, 1) for size in sizes)
    if claimed > MOST_VALUES:
        raise Refusal("INVALID_ARGUMENT", f"Input {name!r}: {claimed} values are more than {MOST_VALUES}")
    if claimed > max(MOST_CLAIMED, request_bytes):
        raise Refusal(
            "INVALID_ARGUMENT",
            f"Input {name!r}: a shape of {claimed} values is more than a request of {request_bytes} bytes may claim; expected at "
            f"most {MOST_CLAIMED}, or as many as it has bytes. Send each value.",
        )


def check_examples(name: str, values: Any) -> None:
    """Checks serialized tf.Examples: the longest list of a feature is the width of all rows.

    Args:
        name: of the input.
        values: (batch,) bytes; what is no tf.Example is left to the model to refuse.

    Raises:
        Refusal: together they make a tensor of too many values.
    """
    longest = 1
    for text in values:
        if len(text) * len(values) > MOST_VALUES:  # else no list in it is long enough
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
    except Exception:  # protobuf's DecodeError, which has no public name in all versions
        return 0
    lists = (
        getattr(feature, kind).value
        for feature in example.features.feature.values()
        if (kind := feature.WhichOneof("kind"))
    )
    return max(map(len, lists), default=0)
