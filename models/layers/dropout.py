"""Dropout: a fast dropout layer that samples by a hash of position, step and seed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from models.layers.random_bits import FIRST, ODD, SECOND, mixed


@keras.saving.register_keras_serializable(package="gatewise")
class Dropout(keras.layers.Layer):
    """Sets a share of its inputs to 0 in training, and scales the others to keep the expected value.

    out = x / (1 - rate) if hash(seed, call, example, unit) >= rate 2^32, else 0

    Keras' layer samples by Threefry, a cryptographic generator, which XLA does not vectorize on a CPU: there it took twenty
    times as long as the rest of the step. This layer gives every example and every unit a new 32-bit random number at each
    call, and mixes them by two multiplications.

    The number of the call is in Keras' `seed_generator_state`.

    Args:
        rate: share of zeros, at least 0 and below 1.
        seed: seed of the layer. Layers with the same seed sample alike. Default: derived from
            `keras.utils.set_random_seed`.

    Call: (batch, ...) -> the same shape.
    """

    def __init__(self, rate: float, *, seed: int | None = None, **layer: Any) -> None:
        super().__init__(**layer)
        if not 0.0 <= rate < 1.0:
            raise ValueError(f"Dropout: expected a rate of at least 0 and below 1, received {rate}.")
        self.rate = rate
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.built = True
        self.examples_before: Callable[[Any], Any] = lambda examples: 0
        """Function from the number of examples of this replica to that of the preceding replicas."""
        self.run: Callable[[Callable[[], Any]], Any] = lambda draw: draw()
        """Runs the sampling. A backend may replace it to compile the sampling alone."""

    def call(self, x: Any, training: bool | None = None) -> Any:
        if not training or not self.rate:
            return x
        state, examples = ops.cast(self.seed_generator.next(), "uint32"), ops.shape(x)[0]
        before = self.examples_before(examples)
        keep = self.run(lambda: kept(self.rate, state, (examples, *x.shape[1:]), before, x.dtype))
        return x * keep

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}


def kept(rate: float, state: Any, shape: tuple[Any, ...], before: Any, dtype: str) -> Any:
    """1 / (1 - rate) if an input is kept, else 0.

    Args:
        rate: share of zeros.
        state: (2,) uint32: the seed and the number of the call.
        shape: (batch, ...).
        before: number of the first example.
        dtype: dtype of the result.
    """
    units = int(np.prod(shape[1:]))
    of_call = mixed(state[0] ^ mixed(state[1] * ODD))
    of_example = mixed(of_call + ops.cast(ops.arange(shape[0], dtype="int32") + before, "uint32") * ODD)
    of_unit = mixed(mixed(of_call) + np.arange(units, dtype=np.uint32) * ODD)
    both = ops.reshape(of_example, (-1, *([1] * (len(shape) - 1)))) ^ ops.reshape(of_unit, (1, *shape[1:]))
    drawn = (both * FIRST ^ ops.right_shift(both * FIRST, np.uint32(15))) * SECOND
    keep = drawn >= np.uint32(min(round(rate * 2**32), 2**32 - 1))
    return ops.cast(keep, dtype) * ops.cast(1.0 / (1.0 - rate), dtype)
