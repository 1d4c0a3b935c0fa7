"""How the tasks of a trained model use the experts: mean gate weights, their entropies, and the experts that no task uses."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from models.features import input_pipeline
from models.training.multi_task_model import MultiTaskModel

DEAD = 0.1
"""An expert is dead if its mean weight is below this part of an equal share, for every task that has it."""


def expert_use(model: MultiTaskModel, columns: input_pipeline.Columns, batch_size: int) -> dict[str, Any]:
    """What the gates of a model do on the examples of a split.

    With the weight g_te(x) of expert e for task t, and its mean m_te over the examples:

        entropy         = - sum_e m_te ln(m_te)                  in nats, from 0 to ln(experts)
        example_entropy = mean over x of - sum_e g_te(x) ln(g_te(x))

    The entropy is low if the task uses few experts. It is never below the example entropy; both are equal if the gate gives
    each example the same weights. 0 ln(0) is 0.

    Args:
        model: trained model.
        columns: the split. All its examples count, whatever their weights.
        batch_size: examples per step.

    Returns:
        {"tasks": {task: {"experts": [name], "mean": [m_te], "entropy", "relative_entropy": entropy / ln(experts) or None for
        one expert, "example_entropy"}}, "dead": [name]}. Both are empty for an architecture without gates.
    """

    @tf.function(autograph=False, reduce_retracing=True)
    def gates(features: dict[str, Any]) -> dict[str, Any]:
        return model.architecture.gates(model.encode(features))

    sums: dict[str, np.ndarray] = {}
    entropies: dict[str, float] = {}
    for start in range(0, len(columns.labels), batch_size):
        batch = {name: tf.constant(array[start : start + batch_size]) for name, array in columns.arrays.items()}
        for task, weights in gates(batch).items():
            found = keras.ops.convert_to_numpy(weights)
            sums[task] = sums.get(task, 0.0) + found.sum(axis=0, dtype=np.float64)
            entropies[task] = entropies.get(task, 0.0) + float(entropy(found.astype(np.float64)).sum())
    count = len(columns.labels)
    tasks = {
        task: _of_task(model.architecture.expert_names(task, len(total)), total / count, entropies[task] / count)
        for task, total in sums.items()
    }
    return {"tasks": tasks, "dead": dead_experts(tasks)}


def mean_gates(use: Mapping[str, Any]) -> dict[str, list[float]]:
    """{task: mean gate weight of each expert}; {} for an architecture without gates.

    Args:
        use: from `expert_use`.
    """
    return {task: about["mean"] for task, about in use["tasks"].items()}


def entropy(weights: np.ndarray) -> np.ndarray:
    """Entropy in nats over the last axis. Weights of 0 add nothing."""
    return -np.sum(weights * np.log(np.where(weights > 0, weights, 1.0)), axis=-1)


def dead_experts(tasks: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Names of the experts whose mean weight is below DEAD / experts for every task that has them, in the order of the gates.

    Args:
        tasks: {task: {"experts": [name], "mean": [mean weight]}}.
    """
    alive: dict[str, bool] = {}
    for about in tasks.values():
        least = DEAD / len(about["experts"])
        for name, mean in zip(about["experts"], about["mean"], strict=True):
            alive[name] = alive.get(name, False) or mean >= least
    return [name for name, used in alive.items() if not used]


def _of_task(names: Sequence[str], means: np.ndarray, of_examples: float) -> dict[str, Any]:
    value = float(entropy(means))
    return {
        "experts": list(names),
        "mean": means.tolist(),
        "entropy": value,
        "relative_entropy": value / math.log(len(names)) if len(names) > 1 else None,
        "example_entropy": of_examples,
    }
