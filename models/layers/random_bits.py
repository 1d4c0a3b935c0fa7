"""Random numbers by a hash of seed, step and position: the same with and without XLA, on any device."""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops

ODD, FIRST, SECOND = np.uint32(0x9E3779B9), np.uint32(0x85EBCA6B), np.uint32(0xC2B2AE35)


def mixed(number: Any) -> Any:
    """A bijection on 32 bits in which every output bit depends on all input bits.

    The finalizer of MurmurHash3 (Appleby, public domain).
    """
    number = (number ^ ops.right_shift(number, np.uint32(16))) * FIRST
    number = (number ^ ops.right_shift(number, np.uint32(13))) * SECOND
    return number ^ ops.right_shift(number, np.uint32(16))


def uniform(state: Any, shape: tuple[int, ...]) -> Any:
    """Numbers from a uniform distribution over (0, 1), without the ends.

    u = (n + 1/2) / 2^23, n the upper 23 bits of hash(seed, call, position)

    Args:
        state: (2,) integers: the seed and the number of the call, of Keras' `SeedGenerator.next`.
        shape: shape of the result.

    Returns:
        float32 of `shape`.
    """
    state = ops.cast(state, "uint32")
    of_call = mixed(state[0] ^ mixed(state[1] * ODD))
    position = ops.cast(ops.arange(int(np.prod(shape)), dtype="int32"), "uint32")
    bits = mixed(of_call + mixed(position * ODD + ODD))
    upper = ops.cast(ops.cast(ops.right_shift(bits, np.uint32(9)), "int32"), "float32")
    return ops.reshape((upper + 0.5) / 2.0**23, shape)
