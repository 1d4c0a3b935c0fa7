"""Applies the gradients of a step to the dense variables and to the embedding rows of the batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import tensorflow as tf

from models.embedding_optimizers.distinct_rows import DistinctRows
from models.training import replicas
from models.training.gradients import clip_factor
from models.training.task_matrices import apply_proximal

if TYPE_CHECKING:
    from models.training.multi_task_model import MultiTaskModel


def apply_gradients(
    model: MultiTaskModel, dense: list[Any], of_rows: list[Any], distinct: list[DistinctRows], scale: Any
) -> None:
    """Applies both optimizers, under one clipping norm and one learning-rate schedule, and the proximal steps.

    Keras' optimizer unscales its gradients and sums them over replicas.

    Args:
        model: the model, with its optimizer.
        dense: gradient of each trainable variable.
        of_rows: gradient of the gathered rows of each table.
        distinct: the distinct rows of each table.
        scale: loss scale of the gradients, for half precision.
    """
    sums = [
        its_rows.sums(tf.reshape(replicas.gathered(gradient), (-1, gradient.shape[-1]))) / scale / replicas.count()
        for its_rows, gradient in zip(distinct, of_rows, strict=True)
    ]
    if model.clip_norm is not None:
        dense = replicas.mean(dense)
        factor = clip_factor([*(gradient / scale for gradient in dense), *sums], model.clip_norm)
        dense, sums = [gradient * factor for gradient in dense], [gradient * factor for gradient in sums]
    iterations = model.optimizer.iterations
    step = tf.cast(iterations, "float32") + 1.0
    rate = 1.0 if model.rate is None else model.rate.factor(iterations)
    for index, (table, its_rows, its_sums) in enumerate(zip(model.encoder.embeddings, distinct, sums, strict=True)):
        model.embedding_optimizer.apply(table, index, its_rows, its_sums, step, rate)
    dense_rate = model.optimizer.learning_rate  # before `apply` counts the step
    model.optimizer.apply([gradient / replicas.count() for gradient in dense], model.trainable_variables)
    apply_proximal(model, dense_rate)
