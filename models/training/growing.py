"""Lets a network grow between two rounds of a training."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
from keras import ops

from models.features import input_pipeline
from models.training.after_training import in_batches
from models.training.checkpoint import EarlyStopping
from models.training.multi_task_model import MultiTaskModel
from models.training.weight_average import exchange_average

logger = logging.getLogger(__name__)


def grow(
    model: MultiTaskModel, data: input_pipeline.Columns, stopping: EarlyStopping, rounds: int, batch_size: int
) -> dict[str, Any]:
    """Grows the architecture of a model, if it is due and has a reason to, and starts the patience of early stopping anew.

    The evidence are the margins |label - prediction| of the validate split, under the weights that were evaluated. New
    parts get copies of the weights, of their running averages and of the optimizer's slots, so that the predictions stay
    the same. The next step is traced anew.

    Args:
        model: a model in training.
        data: the validate split.
        stopping: early stopping after the evaluation.
        rounds: number of evaluations so far.
        batch_size: examples per step.

    Returns:
        `{"grown": description}` for the history of the round; {} if the network stays as it is.
    """
    architecture = model.architecture
    if not architecture.grows_after(rounds, stopping.stopped):
        return {}
    growth = architecture.grown(*margins(model, data, batch_size))
    if growth is None:
        return {}
    for variable, rows in growth.rows:
        for one in (variable, *_beside(model, variable)):
            one.assign(ops.convert_to_numpy(one)[rows])
    model.train_function = model.test_function = None
    stopping.wait = 0
    logger.info("The network has grown after %d evaluations: %s.", rounds, dict(growth.description))
    return {"grown": dict(growth.description)}


def margins(model: MultiTaskModel, data: input_pipeline.Columns, batch_size: int) -> tuple[np.ndarray, np.ndarray]:
    """(example, task) |label - prediction| of the evaluated weights, and whether it is observed, for the architecture's tasks."""
    losses = dict(zip(model.tasks, model.loss_functions, strict=True))
    names = model.architecture.names

    def predicted(features: Any) -> dict[str, Any]:
        logits = model(features, training=False)
        return {task: losses[task].prediction(logits[task]) for task in names}

    exchange_average(model)
    predictions = in_batches(predicted, data, batch_size)
    exchange_average(model)
    own = data.of_tasks(names)
    return np.abs(own.labels[:] - np.stack([predictions[task] for task in names], axis=1)), own.weights[:] > 0


def _beside(model: MultiTaskModel, variable: keras.Variable) -> Iterator[keras.Variable]:
    """The running average of a variable, and its slots in the optimizer, which Keras names by the path of the variable."""
    if model.average is not None:
        yield from (
            average for average, own in zip(model.average.averages, model.averaged, strict=True) if own is variable
        )
    prefix = variable.path.replace("/", "_") + "_"
    yield from (
        slot for slot in model.optimizer.variables if slot.name.startswith(prefix) and slot.shape == variable.shape
    )
