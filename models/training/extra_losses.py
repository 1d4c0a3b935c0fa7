"""Loss terms of a step besides the task losses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from models.embedding_optimizers.distinct_rows import DistinctRows
from models.regularizers.base import Regularizer, RowRegularizer, TaskRegularizer
from models.training import replicas
from models.training.task_matrices import task_cost

if TYPE_CHECKING:
    from models.training.multi_task_model import MultiTaskModel


def extra_losses(
    model: MultiTaskModel, added: list[Any], of_task: Mapping[str, Any], rows: list[Any], distinct: list[DistinctRows]
) -> Any:
    """Sum of the `add_loss` terms of this step, the adversarial tasks and the regularizers: a scalar.

    Args:
        model: the model, just called on the batch.
        added: terms that are computed already. The `add_loss` terms are read before the replicas communicate: they share the lists of
            the layers, so that a later look finds the terms of another replica.
        of_task: {task: its loss}. Those of the adversarial tasks are terms, with their weights.
        rows: the gathered rows of each fused table.
        distinct: the distinct rows of each table.
    """
    costs = [*added, *model.balancer.losses]
    if model.adversaries is not None:
        costs += [of_task[task] * factor for task, factor in model.adversaries.factors]
    counts = []
    if model.row_counts is not None:
        both = [model.row_counts.add(index, its_rows) for index, its_rows in enumerate(distinct)]
        # Multiplied by the number of replicas, because the step later averages over replicas.
        counts = [(replicas.count() * replicas.own_part(a), replicas.own_part(b)) for a, b in both]
    for regularizer in model.regularizers:
        if isinstance(regularizer, RowRegularizer):
            costs += [
                regularizer.call(tf.reshape(its_rows, (-1, its_rows.shape[-1])), *its_counts)
                for its_rows, its_counts in zip(rows, counts, strict=True)
            ]
        elif isinstance(regularizer, TaskRegularizer):
            costs.append(task_cost(regularizer, model.architecture))
        elif isinstance(regularizer, Regularizer):
            costs.append(regularizer.call(model.backbone.trainable_variables + model.architecture.trainable_variables))
    return tf.add_n([tf.cast(cost, "float32") for cost in costs]) if costs else tf.constant(0.0)
