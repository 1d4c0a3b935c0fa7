"""The constant logits at which the mean loss of some labels is least, found without the formulas of the loss."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
from scipy import optimize

from models.losses.base import Loss


def best_constant(loss: Loss, labels: np.ndarray) -> tuple[np.ndarray, float]:
    """(outputs,) logits, and the prediction there."""
    labels = labels.astype(np.float32)

    def logits_of(logits: np.ndarray, rows: int) -> tf.Tensor:
        one = tf.constant(logits[0] if loss.outputs == 1 else logits, tf.float32)
        return tf.broadcast_to(one, (rows, *one.shape))

    def value_and_gradient(logits: np.ndarray) -> tuple[float, np.ndarray]:
        constant = logits_of(logits, len(labels))
        with tf.GradientTape() as tape:
            tape.watch(constant)
            values = loss.value(constant, labels)
        gradient = tape.gradient(values, constant).numpy().astype(np.float64).mean(axis=0)
        return float(values.numpy().astype(np.float64).mean()), np.atleast_1d(gradient)

    found = optimize.minimize(value_and_gradient, np.zeros(loss.outputs), jac=True, method="L-BFGS-B", tol=1e-10)
    return found.x, float(np.asarray(loss.prediction(logits_of(found.x, 1)))[0])
