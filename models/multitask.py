"""MultiTaskModel: the one place where an architecture meets a balancer.

One compiled step: encode, forward, a loss for each task, then one gradient from all of them. The step knows the two
types of balancer and no method's name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from models.architectures.base import Architecture
from models.balancing.base import GradientCombiner, Weighting
from models.layers.feature_encoder import FeatureEncoder
from models.losses import LOSSES, task_loss
from models.penalties.base import Penalty
from models.registry import lookup


@keras.saving.register_keras_serializable(package="gatewise")
class MultiTaskModel(keras.Model):
    """Encoder, architecture and losses, trained together under a balancer.

    The data are (features, labels, weights): a dict for the encoder, and two float matrices of (batch, task) in the
    order of the architecture's tasks. A label of weight 0 is not looked at and may be NaN. In `compile`, give the
    optimizer and `jit_compile`; losses and metrics are the model's own.

    What is logged:
        <task>_loss: weighted mean of the task's loss over the epoch, over the examples that have a weight.
        loss: in training, the mean of what the steps minimise (balanced, penalties included), over the steps' observed
            examples. In evaluation, sum_t w_t <task>_loss with the recipe's fixed weights w_t: whatever stops early
            by it must not depend on weights that a balancer moves.

    Args:
        encoder: features -> (batch, dim).
        architecture: (batch, dim) -> {task: logits}.
        balancer: a Weighting or GradientCombiner for the same tasks.
        losses: {task: name in LOSSES}.
        penalties: costs of the trainable variables of encoder and architecture.

    Call: features -> {task: (batch,) logits}.

    Raises:
        InputError: an unknown loss.
        ValueError: the parts are not for the same tasks, or the balancer is of neither type.
    """

    def __init__(
        self,
        encoder: FeatureEncoder,
        architecture: Architecture,
        balancer: Weighting | GradientCombiner,
        losses: Mapping[str, str],
        penalties: Sequence[Penalty] = (),
        **model: Any,
    ) -> None:
        super().__init__(**model)
        self.tasks = tuple(architecture.tasks)
        if balancer.tasks != self.tasks or set(losses) != set(self.tasks):
            raise ValueError(
                f"MultiTaskModel: architecture for tasks {self.tasks}, balancer for {balancer.tasks}, losses for "
                f"{tuple(losses)}; expected the same tasks, architecture and balancer in the same order."
            )
        if not isinstance(balancer, Weighting | GradientCombiner):
            raise ValueError(
                f"MultiTaskModel: {type(balancer).__name__} is neither a Weighting nor a GradientCombiner."
            )
        self.encoder = encoder
        self.architecture = architecture
        self.balancer = balancer
        self.loss_names = tuple(losses[task] for task in self.tasks)
        self.penalties = tuple(penalties)
        for name in self.loss_names:
            lookup(name, LOSSES, "loss")
        self.loss_tracker = keras.metrics.Mean(name="loss")
        self.task_trackers = [keras.metrics.Mean(name=f"{task}_loss") for task in self.tasks]

    def build(self, input_shape: Any = None) -> None:
        """Makes all variables, the balancer's too, so that the optimizer knows them before the first step."""
        parts = ((self.encoder, None), (self.architecture, (None, self.encoder.dim)), (self.balancer, None))
        for part, shape in parts:
            if not part.built:  # parts that were loaded from a file are
                part.build(shape)
        self.bad_step = self.add_weight(
            shape=(len(self.tasks),),
            initializer=keras.initializers.Constant(-1),
            dtype="int32",
            trainable=False,
            name="first_bad_step",
        )

    def call(self, features: Mapping[str, Any], training: bool | None = None) -> dict[str, Any]:
        return self.architecture(self.encoder(features), training=training)

    def predictions(self, features: Mapping[str, Any]) -> dict[str, Any]:
        """features -> {task: (batch,) prediction}: probabilities for binary tasks, amounts for the others."""
        logits = self(features, training=False)
        return {
            task: LOSSES[name].prediction(logits[task]) for task, name in zip(self.tasks, self.loss_names, strict=True)
        }

    def first_bad_step(self) -> dict[str, int]:
        """{task: first training step, from 0, at which its loss or gradient was not finite}; {} if all went well.

        The gradient that is looked at is the task's own: that of its logits or, under a GradientCombiner, of the shared
        variables. A sum over tasks that overflows further down shows in the losses of the next step.
        """
        if not self.built:
            return {}
        steps = ops.convert_to_numpy(self.bad_step)
        return {task: int(step) for task, step in zip(self.tasks, steps, strict=True) if step >= 0}

    @property
    def metrics(self) -> list[keras.Metric]:
        return [self.loss_tracker, *self.task_trackers]

    def train_step(self, data: tuple[Mapping[str, Any], Any, Any]) -> dict[str, Any]:
        features, labels, weights = data
        combines = isinstance(self.balancer, GradientCombiner)
        with tf.GradientTape(persistent=combines) as tape:
            encoded = self.encoder(features)
            logits = self.architecture(encoded, training=True)
            losses = self._task_losses(logits, labels, weights)
            factors = self.balancer.task_weights if combines else tf.unstack(self.balancer(tf.stack(losses)))
            weighted = [self.optimizer.scale_loss(factor * loss) for factor, loss in zip(factors, losses, strict=True)]
            extra = self.optimizer.scale_loss(self._extra_losses())
            total = tf.add_n(weighted) + extra
        variables = self.trainable_variables
        outputs = [logits[task] for task in self.tasks]
        if combines:
            gradients, observed = self._combined(tape, encoded, outputs, weighted, extra, variables)
        else:
            gradients, observed = _gradients(tape, total, variables, outputs)
        del tape
        self._record_bad_step(losses, observed)
        self.optimizer.apply(gradients, variables)
        scale = self.optimizer.scale_loss(tf.constant(1.0))
        self._track(losses, weights)
        self.loss_tracker.update_state(total / scale, tf.math.count_nonzero(tf.reduce_any(weights > 0, axis=1)))
        return self.get_metrics_result()

    def test_step(self, data: tuple[Mapping[str, Any], Any, Any]) -> dict[str, Any]:
        features, labels, weights = data
        logits = self(features, training=False)
        self._track(self._task_losses(logits, labels, weights), weights)
        # Of the epoch so far, not of this batch: the tasks' weights differ from batch to batch.
        means = [tracker.result() for tracker in self.task_trackers]
        self.loss_tracker.reset_state()
        self.loss_tracker.update_state(
            tf.add_n([weight * mean for weight, mean in zip(self.balancer.task_weights, means, strict=True)])
        )
        return self.get_metrics_result()

    def _task_losses(self, logits: Mapping[str, Any], labels: Any, weights: Any) -> list[Any]:
        return [
            task_loss(LOSSES[name], logits[task], labels[:, i], weights[:, i])
            for i, (task, name) in enumerate(zip(self.tasks, self.loss_names, strict=True))
        ]

    def _extra_losses(self) -> Any:
        """What layers gave to add_loss, and the penalties."""
        variables = [*self.encoder.trainable_variables, *self.architecture.trainable_variables]
        costs = [*self.losses, *(penalty.call(variables) for penalty in self.penalties)]
        return tf.add_n([tf.cast(cost, "float32") for cost in costs]) if costs else tf.constant(0.0)

    def _combined(
        self,
        tape: tf.GradientTape,
        encoded: Any,
        outputs: list[Any],
        weighted: list[Any],
        extra: Any,
        variables: list[keras.Variable],
    ) -> tuple[list[Any], list[Any]]:
        """Gradients for all variables, the shared ones' combined by the balancer; and for each task one to look at.

        One way back through the architecture for each task, down to the encoded features; then, summed, one through
        the encoder, so that the scatter into embedding tables is not done for each task.
        """
        shared, parts = self.architecture.shared_variables(), self.architecture.trainable_variables
        shared_ids = {id(variable) for variable in shared}
        own = [variable for variable in parts if id(variable) not in shared_ids]
        tables = self.encoder.trainable_variables
        by_task = [
            _gradients(tape, loss, shared, own, [encoded], [output])
            for loss, output in zip(weighted, outputs, strict=True)
        ]
        shared_gradients, own_gradients, encoded_gradients, output_gradients = zip(*by_task, strict=True)
        gradient_of = {
            id(variable): tf.add_n(gradients)
            for variable, gradients in zip(own, zip(*own_gradients, strict=True), strict=True)
        }
        through_encoder = _gradients(tape, encoded, tables, seed=tf.add_n([one for (one,) in encoded_gradients]))[0]
        gradient_of |= {id(table): gradient for table, gradient in zip(tables, through_encoder, strict=True)}
        observed = [gradient for (gradient,) in output_gradients]
        if shared:
            observed = [_flat(gradients) for gradients in shared_gradients]  # (parameter,) for each task
            combined = self.balancer.combine(tf.stack(observed))
            split = tf.split(combined, [int(variable.value.shape.num_elements()) for variable in shared])
            gradient_of |= {
                id(variable): tf.reshape(part, variable.shape) for variable, part in zip(shared, split, strict=True)
            }
        extra_gradients = _gradients(tape, extra, variables)[0]
        sums = [gradient_of.get(id(v), 0.0) + more for v, more in zip(variables, extra_gradients, strict=True)]
        return sums, observed

    def _record_bad_step(self, losses: list[Any], gradients: list[Any]) -> None:
        """losses: a scalar for each task; gradients: an array for each task."""
        good = tf.stack(
            [
                tf.math.is_finite(loss) & tf.reduce_all(tf.math.is_finite(gradient))
                for loss, gradient in zip(losses, gradients, strict=True)
            ]
        )
        now_bad = ~good & (self.bad_step.value < 0)
        self.bad_step.assign(tf.where(now_bad, tf.cast(self.optimizer.iterations, "int32"), self.bad_step.value))

    def _track(self, losses: list[Any], weights: Any) -> None:
        """Each batch counts by its weight of the task: one without observations must not dilute the mean."""
        for i, (tracker, loss) in enumerate(zip(self.task_trackers, losses, strict=True)):
            tracker.update_state(loss, tf.reduce_sum(weights[:, i]))

    def save_own_variables(self, store: Any) -> None:
        """Also saves the states of the random generators (dropout, PCGrad), which Keras leaves out: a training that is
        restored from a checkpoint then goes on as if it had never stopped."""
        super().save_own_variables(store)
        for i, state in enumerate(self._random_states()):
            store[f"random_{i}"] = state

    def load_own_variables(self, store: Any) -> None:
        stored = dict(store)
        for i, state in enumerate(self._random_states()):
            state.assign(stored.pop(f"random_{i}"))
        super().load_own_variables(stored)

    def _random_states(self) -> list[keras.Variable]:
        return [variable for variable in self.non_trainable_variables if variable.name == "seed_generator_state"]

    def get_config(self) -> dict[str, Any]:
        parts = {
            "encoder": self.encoder,
            "architecture": self.architecture,
            "balancer": self.balancer,
            "penalties": list(self.penalties),
        }
        return {
            "name": self.name,
            **{key: keras.saving.serialize_keras_object(part) for key, part in parts.items()},
            "losses": dict(zip(self.tasks, self.loss_names, strict=True)),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> MultiTaskModel:
        keys = ("encoder", "architecture", "balancer", "penalties")
        parts = {key: keras.saving.deserialize_keras_object(config[key], custom_objects) for key in keys}
        return cls(**{**config, **parts})


def _gradients(tape: tf.GradientTape, target: Any, *sources: list[Any], seed: Any = None) -> list[list[Any]]:
    """Dense gradients of a target with respect to each list of sources; zeros where nothing connects them.

    Dense also for embedding tables: the scatter of a lookup's gradient is what XLA compiles, a sparse update is not.
    `seed` is the gradient with respect to the target, where that is no scalar.
    """
    return [
        [
            tf.zeros(source.shape) if gradient is None else tf.convert_to_tensor(gradient)
            for source, gradient in zip(group, gradients, strict=True)
        ]
        for group, gradients in zip(sources, tape.gradient(target, list(sources), output_gradients=seed), strict=True)
    ]


def _flat(gradients: list[Any]) -> Any:
    """Gradients of several variables, one after the other: (parameter,)."""
    return tf.concat([tf.reshape(tf.cast(gradient, "float32"), (-1,)) for gradient in gradients], axis=0)
