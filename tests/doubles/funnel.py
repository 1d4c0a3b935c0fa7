"""A batch of a conditioned task, such as an order after a click."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from models.objectives.base import Given, TaskBatch


def clicked(clicks, propensity, logits, labels, *, weights=None, towers=None) -> TaskBatch:
    """The batch as float32 tensors.

    Args:
        clicks: whether the example was clicked.
        propensity: predicted probability of the click.
        logits: of the order.
        labels: of the order.
        weights: over the entire space. Default: 1.
        towers: {tower: logits}.
    """
    clicks = np.asarray(clicks, bool)
    weights = np.ones(len(clicks)) if weights is None else np.asarray(weights)
    given = Given(
        tf.constant(clicks), tf.constant(np.float32(weights)), tf.math.log(tf.constant(np.float32(propensity)))
    )
    towers = {name: tf.constant(np.float32(values)) for name, values in (towers or {}).items()}
    return TaskBatch(tf.constant(np.float32(logits)), tf.constant(np.float32(labels)), given, towers)


def cross_entropy(label, probability):
    """-y log p - (1 - y) log(1 - p) in float64."""
    return -label * np.log(probability) - (1 - label) * np.log(1 - probability)


def sigmoid(z):
    return 1 / (1 + np.exp(-np.asarray(z, float)))
