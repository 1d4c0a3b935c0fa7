"""Gradients of a training step with a GradientCombiner over the encoded features."""

from __future__ import annotations

import dataclasses
from typing import Any

import tensorflow as tf

from models.balancing.evidence import Evidence
from models.training import replicas
from models.training.gradients import flat, gradients


def combined_at_features(
    tape: tf.GradientTape,
    model: Any,
    evidence: Evidence,
    features: list[Any],
    *,
    rows: list[Any],
    weighted: list[Any],
    extra: Any,
    scale: Any,
) -> tuple[list[Any], list[Any], list[Any], Any]:
    """Gradients of all variables and of the rows, from task gradients that are combined at the encoded features.

    Runs one backward pass per task down to the features, without gradients of variables; one for the sum of the losses, which
    gives the gradients of the architecture; and one from the combined gradient of the features through backbone and encoder.

    Args:
        tape: persistent tape that watched the rows.
        model: the MultiTaskModel.
        evidence: evidence of the batch, without these gradients.
        features: the tensors that the architecture reads. None depends on another.
        rows, weighted, extra, scale: as in `combined_gradients`.

    Returns:
        As `combined_gradients`: gradients of the variables, of the rows, of each task to check, and those that were combined.
    """
    observed = [flat(gradients(tape, loss, features)[0]) for loss in weighted]  # (number,) for each task
    of_tasks = replicas.of_examples(tf.stack(observed)) / scale
    combined = replicas.of_own_examples(
        model.balancer.combine(dataclasses.replace(evidence, gradients=of_tasks)) * scale
    )
    parts = tf.split(combined, [tf.size(feature) for feature in features])
    seeds = [
        tf.cast(tf.reshape(part, tf.shape(feature)), feature.dtype)
        for part, feature in zip(parts, features, strict=True)
    ]
    variables, below = model.trainable_variables, model.backbone.trainable_variables
    ids = {id(variable) for variable in below}
    above = [variable for variable in variables if id(variable) not in ids]
    (of_above,) = gradients(tape, weighted, above)  # of their sum
    of_below, of_rows = gradients(tape, features, below, rows, seed=seeds)
    more, more_of_rows = gradients(tape, extra, variables, rows)
    gradient_of = {id(one): its for one, its in zip([*above, *below], [*of_above, *of_below], strict=True)}
    dense = [gradient_of[id(variable)] + its_more for variable, its_more in zip(variables, more, strict=True)]
    return dense, [one + its_more for one, its_more in zip(of_rows, more_of_rows, strict=True)], observed, of_tasks
