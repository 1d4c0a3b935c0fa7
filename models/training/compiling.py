"""Gives a model its optimizer and compiles its step."""

from __future__ import annotations

import keras
import tensorflow as tf

from models.recipe.model import Training
from models.training.devices import batch_of, compiles, compiles_parts
from models.training.learning_rate import LearningRate
from models.training.multi_task_model import MultiTaskModel
from models.training.rounds import Rounds, default_batch_size

OPTIMIZERS = {"adam": keras.optimizers.Adam, "adagrad": keras.optimizers.Adagrad, "sgd": keras.optimizers.SGD}


def batch_size_of(options: Training, examples: int, strategy: tf.distribute.Strategy) -> int:
    """Examples of a step: the recipe's, or the default for the number of train examples.

    Raises:
        InputError: the batch size is not a multiple of the number of devices.
    """
    replicas = strategy.num_replicas_in_sync
    size = options.batch_size or max(default_batch_size(examples) // replicas, 1) * replicas
    return batch_of(size, examples, replicas)


def compile_model(model: MultiTaskModel, options: Training, rounds: Rounds, replicas: int) -> None:
    """Creates the optimizer with all its variables before the first step: the checkpoint assigns to them."""
    model.compiles_parts = compiles_parts(options.jit_compile, options.precision, replicas)
    if options.warmup_steps or options.learning_rate_decay != "constant":
        model.rate = LearningRate(
            options.learning_rate, options.learning_rate_decay, options.warmup_steps, rounds.steps, model.reduction
        )
    optimizer = OPTIMIZERS[options.optimizer](
        learning_rate=model.rate or options.learning_rate,
        weight_decay=options.weight_decay or None,
    )
    if options.weight_decay:
        optimizer.exclude_from_weight_decay(var_names=["bias"])
    model.compile(
        optimizer=optimizer,
        jit_compile=compiles(options.jit_compile, options.precision, replicas),
        # TensorFlow 2.21 cannot run a loop over steps that synchronize replicas: "must feed a value for placeholder".
        steps_per_execution=options.steps_per_execution if replicas == 1 else 1,
    )
    model.optimizer.build(model.trainable_variables)
