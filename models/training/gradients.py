"""Gradients of the training step as dense arrays, and their global norm."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf


def gradients(tape: tf.GradientTape, target: Any, *sources: list[Any], seed: Any = None) -> list[list[Any]]:
    """Gradients of a target with respect to each list of sources (variables or tensors); zeros if they are not connected.

    `seed` is the gradient with respect to a target that is not a scalar.
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
    """Concatenates flattened arrays: (number,) float32."""
    return tf.concat([tf.reshape(tf.cast(array, "float32"), (-1,)) for array in arrays], axis=0)


def clip_factor(arrays: Sequence[Any], norm: float) -> Any:
    """min(1, norm / |arrays|): factor that clips arrays to a global norm.

    |arrays| is the root of the sum of all squares. The factor is 1 if a gradient is not finite.
    """
    square = tf.add_n([tf.reduce_sum(tf.square(tf.cast(array, "float32"))) for array in arrays])
    factor = tf.minimum(1.0, norm * tf.math.rsqrt(tf.maximum(square, 1e-30)))
    return tf.where(tf.math.is_finite(square), factor, 1.0)
