"""Inter-task affinity: how a step for one task changes the losses of the others, measured beside the training steps."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import keras
import tensorflow as tf

from models.features.groups import GROUP
from models.features.input_pipeline import Batch
from models.training.affinity_sums import AffinitySums
from models.training.encoding import encoded, encoded_shapes
from models.training.gradients import gradients
from models.training.sharing import positions_over
from models.training.task_losses import training_losses

if TYPE_CHECKING:
    from models.training.multi_task_model import MultiTaskModel

logger = logging.getLogger(__name__)


def lookahead(model: MultiTaskModel) -> Callable[[Mapping[str, Any], Any, Any], tuple[Any, Any]]:
    """The affinities of a batch under the current weights, as a compiled function that changes no variable.

        Z_ij = (L_j(v) - L_j(v - r dL_i/dv)) / L_j(v) = 1 - L_j(after a step for task i) / L_j(before)

    with the shared variables v: those of backbone and architecture that more than one task updates, and the embedding rows of
    the batch. The losses are those of the training step, in training mode. All of them see the dropout masks of the step
    that comes next.

    Fifty et al., Efficiently Identifying Task Groupings for Multi-Task Learning, NeurIPS 2021,
    https://arxiv.org/abs/2109.04617, section 3. Deviations: the lookahead is a plain gradient step with the current
    learning rates of the network and of the tables, whatever the optimizers are. The average over a training may be one of every n-th step.

    Args:
        model: a built and compiled model, on one replica, in float32. Losses of 0 or more.

    Returns:
        (features, labels (batch, task), weights (batch, task)) -> (task, task) Z, and bool whether it counts: both tasks are
        observed in the batch and L_j is above 0. The tasks are those of the balancer, not the adversarial ones.
    """
    raw, _ = encoded_shapes(model.encoder, model.backbone, model.wants)
    places = positions_over("shared", model.backbone, model.architecture, raw)
    all_variables = [*model.backbone.trainable_variables, *model.architecture.trainable_variables]
    variables = [all_variables[place] for place in places]
    names = model.balancer.tasks
    columns = [model.tasks.index(task) for task in names]

    def measure(features: Mapping[str, Any], labels: Any, weights: Any) -> tuple[Any, Any]:
        row_ids = model.encoder.row_ids(features)
        distinct = model.embedding_optimizer.distinct(row_ids)
        rows = model.encoder.gather(row_ids)
        values = [tf.convert_to_tensor(variable) for variable in variables]
        rate = tf.convert_to_tensor(model.optimizer.learning_rate)
        factor = 1.0 if model.rate is None else model.rate.factor(model.optimizer.iterations)
        rows_rate = model.embedding_optimizer.learning_rate * factor

        def losses_at(its_values: list[Any], its_rows: list[Any]) -> tuple[Any, Any]:
            # What the layers assign, such as the state of a random generator, stays in the scope and is dropped with it.
            with keras.StatelessScope([*zip(variables, its_values, strict=True)]):
                copies = range(model.encoder.copies)
                xs = [model.encoder.assemble(its_rows, row_ids, features, copy) for copy in copies]
                inputs = encoded(
                    model.encoder, model.backbone, model.wants, xs, its_rows, row_ids, features, training=True
                )
                outputs = model.architecture(inputs, training=True)
                logits = model.logits(outputs, training=True)
                losses, of = training_losses(model, outputs, logits, labels, weights, features.get(GROUP))
            return tf.gather(tf.stack(losses), columns), tf.gather(tf.reduce_any(of > 0, axis=0), columns)

        def after(task: Any) -> Any:
            with tf.GradientTape() as tape:
                tape.watch([values, rows])
                loss = losses_at(values, rows)[0][task]
            of_values, of_rows = gradients(tape, loss, values, rows)
            moved = [value - rate * gradient for value, gradient in zip(values, of_values, strict=True)]
            moved_rows = []
            for its_rows, gradient, its_distinct in zip(rows, of_rows, distinct, strict=True):
                sums = its_distinct.sums(tf.reshape(gradient, (-1, gradient.shape[-1])))
                of_each = tf.reshape(tf.gather(sums, its_distinct.representatives), tf.shape(its_rows))
                moved_rows.append(its_rows - rows_rate * of_each)
            return losses_at(moved, moved_rows)[0]

        before, observed = losses_at(values, rows)
        # A loop, so that the compiled function has one task's graph and not one per task.
        lost = before - tf.map_fn(after, tf.range(len(names)), fn_output_signature=tf.TensorSpec(len(names)))
        counts = observed[:, None] & (observed & (before > 0))[None, :]
        affinity = tf.math.divide_no_nan(lost, before)
        return affinity, counts & tf.math.is_finite(affinity)

    return tf.function(measure, autograph=False, jit_compile=bool(model.jit_compile))


class AffinityHook(keras.callbacks.Callback):
    """Adds the affinities before every n-th training step to sums. The training is the same with and without it, bit for bit.

    With several steps per execution, it measures at most once per execution, before the first of its steps.

    Args:
        every: steps between two samples.
        batch_of: number of a training step, from 0 -> the batch of this step.
    """

    def __init__(self, every: int, batch_of: Callable[[int], Batch]) -> None:
        super().__init__()
        self.sums = AffinitySums()
        self._every, self._batch_of = every, batch_of
        self.measure: Callable[..., tuple[Any, Any]] | None = None
        """The compiled function of `lookahead`."""
        self._first, self._of = 0, None

    def starts(self, sums: AffinitySums, first: int) -> AffinityHook:
        """Prepares for a `fit` from the training step `first` on, which adds to `sums`."""
        self.sums, self._first = sums, first
        return self

    def on_train_begin(self, logs: Any = None) -> None:
        # Keras makes a new function for the step after the network has grown.
        if self.measure is None or self._of is not self.model.train_function:
            self.measure, self._of = lookahead(self.model), self.model.train_function

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        step = self._first + batch
        due = step + -step % self._every
        if self.measure is not None and due < step + self.model.steps_per_execution:
            features, labels, weights = self._batch_of(step)
            arrays = {name: tf.constant(array) for name, array in features.items()}
            affinity, counted = self.measure(arrays, tf.constant(labels), tf.constant(weights))
            self.sums.add(affinity.numpy(), counted.numpy())


def affinity_hook(model: MultiTaskModel, every: int | None, batch_of: Callable[[int], Batch]) -> AffinityHook | None:
    """The hook of a training, or None: without `every`, with one task, and on several replicas.

    Args:
        model: a built and compiled model.
        every: steps between two samples. None: no samples.
        batch_of: as for AffinityHook.
    """
    replicas = model.distribute_strategy.num_replicas_in_sync
    if every is None or len(model.balancer.tasks) < 2:
        return None
    if replicas > 1:
        logger.warning(
            "training.affinity_every: the affinities of the tasks are measured on one GPU only, and this training has %d. It goes "
            "on without them. To measure them, make only one GPU visible (CUDA_VISIBLE_DEVICES=0).",
            replicas,
        )
        return None
    return AffinityHook(every, batch_of)
