"""The losses within groups as their papers write them, in loops over the examples of one group, and what labels do to their gradients."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np
import tensorflow as tf

from models.losses.group_loss import GroupLoss

Slow = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def entropy(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    odds = logits if logits.ndim == 1 else logits[:, 1] - logits[:, 0]
    p = 1 / (1 + np.exp(-odds))
    return -labels * np.log(p) - (1 - labels) * np.log(1 - p)


def jrc(logits: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(example,): the ranking terms of one group."""
    rows = range(len(labels))
    terms = np.zeros(len(labels))
    for i in rows:
        for y, part in ((0, 1 - labels[i]), (1, labels[i])):
            total = sum(weights[j] * np.exp(logits[j, y]) for j in rows)
            terms[i] -= part * np.log(weights[i] * np.exp(logits[i, y]) / total)
    return terms


def ranknet(logits: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> np.ndarray:
    rows, relative, total, count = range(len(labels)), weights / weights.mean(), 0.0, 0.0
    for a in rows:
        for b in rows:
            if a != b:
                pair = labels[a] * (1 - labels[b])
                total += pair * relative[a] * relative[b] * np.log1p(np.exp(logits[b] - logits[a]))
                count += pair
    return np.full(len(labels), total / count if count else 0.0)


def lambda_ndcg(logits: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> np.ndarray:
    size, relative, total = len(labels), weights / weights.mean(), 0.0
    discounts = np.zeros(size)
    for i in range(size):
        discounts[i] = 1 / np.log2(2 + np.sum(logits > logits[i]))
    ideal = sum(label / np.log2(2 + place) for place, label in enumerate(sorted(labels, reverse=True)))
    for a in range(size):
        for b in range(size):
            if a != b and labels[a] * (1 - labels[b]) > 0:
                change = labels[a] * (1 - labels[b]) * abs(discounts[a] - discounts[b]) / ideal
                total += change * relative[a] * relative[b] * np.log1p(np.exp(logits[b] - logits[a]))
    return np.full(size, total / size)


SLOW: dict[str, Slow] = {"jrc": jrc, "ranknet": ranknet, "lambda_ndcg": lambda_ndcg}


def slow_values(
    name: str,
    share: float,
    longest: int,
    logits: np.ndarray,
    labels: np.ndarray,
    weights: np.ndarray,
    groups: np.ndarray,
) -> np.ndarray:
    """(batch,): the loss of each example; of weight 0: 0. Only losses of pairs cut groups into pieces."""
    values = np.zeros(len(labels))
    for group in np.unique(groups):
        (rows,) = np.nonzero((groups == group) & (weights > 0))
        for start in range(0, len(rows), longest if name != "jrc" else max(1, len(rows))):
            piece = rows[start:] if name == "jrc" else rows[start : start + longest]
            terms = SLOW[name](logits[piece], labels[piece], weights[piece])
            values[piece] = share * entropy(logits[piece], labels[piece]) + (1 - share) * terms
    return values


def expected_gradient(loss: GroupLoss, logits: np.ndarray, p: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The gradient of the weighted sum of one group's losses by the logits, over all labels with the probabilities `p`."""
    given, gradients = tf.constant(logits, tf.float32), np.zeros(logits.shape)
    groups = tf.zeros(len(p), tf.int32)
    for labels in product((0.0, 1.0), repeat=len(p)):
        with tf.GradientTape() as tape:
            tape.watch(given)
            total = tf.reduce_sum(weights * loss.group_value(given, tf.constant(labels), tf.constant(weights), groups))
        gradients += np.prod(np.where(labels, p, 1 - p)) * tape.gradient(total, given).numpy()
    return gradients
