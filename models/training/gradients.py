"""Gradients of the training step: always dense arrays, zeros where nothing connects, one norm over all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf


def gradients(tape: tf.GradientTape, target: Any, *sources: list[Any], seed: Any = None) -> list[list[Any]]:
    """Gradients of a target with respect to each list of sources (variables or tensors); zeros where nothing connects.

    `seed` is the gradient with respect to the target, where that is no scalar.
    """
    return [
        [
            tf.zeros_like(tf.convert_to_tensor(source)) if gradient is None else tf.convert_to_tensor(gradient)
            for source, gradient in zip(group, of_group, strict=True)
        ]
        for group, of_group in zip(sources, tape.gradient(target, list(sources), output_gradients=seed), strict=True)
    ]


def finite(losses: list[Any], gradients: list[Any]) -> Any:
    """(task,) bool: whether a task's loss, a scalar, and its gradient, an array, are finite."""
    both = zip(losses, gradients, strict=True)
    return tf.stack([tf.math.is_finite(loss) & tf.reduce_all(tf.math.is_finite(gradient)) for loss, gradient in both])


def flat(arrays: Sequence[Any]) -> Any:
    """Several arrays one after the other: (number,) float32."""
    return tf.concat([tf.reshape(tf.cast(array, "float32"), (-1,)) for array in arrays], axis=0)


def clip_factor(arrays: Sequence[Any], norm: float) -> Any:
    """min(1, norm / |arrays|): what brings arrays down to a global norm.

    |arrays| is the root of the sum of all squares. Gradients that are not finite keep a factor of 1.
    """
    square = tf.add_n([tf.reduce_sum(tf.square(tf.cast(array, "float32"))) for array in arrays])
    factor = tf.minimum(1.0, norm * tf.math.rsqrt(tf.maximum(square, 1e-30)))
    return tf.where(tf.math.is_finite(square), factor, 1.0)
