"""MultiTaskModel: joins an architecture with a balancer.

One compiled step gathers the rows of the batch, encodes them, computes the loss of each task and one gradient from all
losses. Keras' optimizer then updates the dense variables, and the embedding optimizer updates only the gathered rows.
The step depends on the types of balancer and of regularizer, not on the names of methods.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from models.architectures.base import REPRESENTATION, Architecture
from models.architectures.encoded import Encoded
from models.backbones.base import Backbone
from models.backbones.none import NoBackbone
from models.balancing.base import GradientCombiner, Weighting
from models.embedding_optimizers.base import EmbeddingOptimizer
from models.embedding_optimizers.lazy_adam import LazyAdam
from models.embedding_optimizers.one_pass import compiled, one_pass
from models.features.groups import GROUP
from models.layers.adversaries import Adversaries
from models.layers.dropout import Dropout
from models.layers.feature_encoder import FeatureEncoder
from models.regularizers.base import Regularizer, RowRegularizer, TaskRegularizer
from models.training import replicas
from models.training.bad_steps import BadSteps
from models.training.balance_log import BalanceLog
from models.training.combined_gradients import combined_gradients
from models.training.encoding import checked_wants, encoded, encoded_shapes
from models.training.evidence import evidence_of
from models.training.extra_losses import extra_losses
from models.training.gradients import finite, gradients
from models.training.learning_rate import LearningRate
from models.training.objectives import Objectives
from models.training.parts import build_on_representation, checked_losses
from models.training.random_states import RandomStates
from models.training.row_counts import RowCounts
from models.training.sharing import positions_over, sources_over
from models.training.task_losses import task_losses, training_losses
from models.training.task_matrices import check_task_kernels
from models.training.task_scales import TaskScales
from models.training.task_trackers import TaskTrackers
from models.training.updates import apply_gradients
from models.training.views import masks_of, view_costs
from models.training.weight_average import WeightAverage, steps_between

_PARTS = (
    "encoder",
    "backbone",
    "architecture",
    "adversaries",
    "objectives",
    "balancer",
    "regularizers",
    "embedding_optimizer",
)


@keras.saving.register_keras_serializable(package="gatewise")
class MultiTaskModel(RandomStates, keras.Model):
    """Encoder, backbone, architecture and losses, trained together under a balancer.

    The data are (features, labels, weights): a dict for the encoder, with GROUP for losses within groups, and two float matrices
    (batch, task) in the order of the losses. Labels of weight 0 are ignored and may be NaN. Pass the optimizer to `compile`.

    Logs:
        <task>_loss: weighted mean of the task's loss over the epoch, over examples with a weight.
        loss: in training, the mean objective of the steps (balanced, with regularizers), over the observed examples. In
            evaluation, sum_t w_t <task>_loss with the fixed weights w_t of the recipe, so that early stopping does not
            depend on the weights of a balancer.

    Args:
        encoder: features -> (batch, dim).
        architecture: Encoded -> {task: logits}.
        balancer: a Weighting or GradientCombiner for the tasks of the architecture. It does not see adversarial tasks.
        losses: {task: name in LOSSES, or the dotted path of a Loss in another package}, with the adversarial tasks.
        regularizers: regularizers of any type in `models.regularizers.base`.
        embedding_optimizer: updates the rows of the embedding tables. Default: LazyAdam.
        clip_norm: global norm to which the balanced gradients are clipped, with those of the rows. None: no clipping.
        backbone: mixes the features before the architecture. Default: none.
        average: whether to keep a running average of the weights (`WeightAverage`).
        adversaries: the networks of the adversarial tasks. None: no such tasks.
        loss_options: {task: options of its loss}. Default: no options.
        objectives: the objectives of conditioned tasks, for the training. None: each task is trained by its own loss.

    Call: features -> {task: (batch,) logits, or (batch, outputs) if the loss has several outputs}.

    Raises:
        InputError: an unknown loss.
        ValueError: the parts disagree on tasks or logits, or the balancer has neither type.
    """

    def __init__(
        self,
        encoder: FeatureEncoder,
        architecture: Architecture,
        balancer: Weighting | GradientCombiner,
        losses: Mapping[str, str],
        regularizers: Sequence[Regularizer | RowRegularizer | TaskRegularizer] = (),
        embedding_optimizer: EmbeddingOptimizer | None = None,
        clip_norm: float | None = None,
        backbone: Backbone | None = None,
        average: bool = False,
        adversaries: Adversaries | None = None,
        loss_options: Mapping[str, Mapping[str, Any]] | None = None,
        objectives: Objectives | None = None,
        **model: Any,
    ) -> None:
        super().__init__(**model)
        self.tasks, self.loss_names, self.loss_options = tuple(losses), tuple(losses.values()), dict(loss_options or {})
        self.loss_functions = checked_losses(architecture, balancer, losses, self.loss_options, adversaries)
        self.encoder = encoder
        self.encoder.fill = one_pass
        self.backbone = backbone or NoBackbone()
        self.architecture = architecture
        self.wants = checked_wants(architecture, encoder)
        self.balancer = balancer
        self.regularizers = tuple(regularizers)
        self.masks = masks_of(regularizers)
        self.adversaries, self.objectives = adversaries, objectives
        self.embedding_optimizer = embedding_optimizer or LazyAdam()
        self.clip_norm = clip_norm
        self.compiles_parts = False
        """Whether to compile dropout sampling and variable updates in a step that is not compiled as a whole."""
        self.rate: LearningRate | None = None
        """Learning-rate schedule that the embedding optimizer shares with Keras' optimizer. None: constant."""
        self.scales = TaskScales([loss.outputs for loss in self.loss_functions])
        self.bad_steps = BadSteps(len(self.tasks))
        self.average = WeightAverage() if average else None
        self.row_counts = RowCounts() if any(isinstance(one, RowRegularizer) for one in regularizers) else None
        self.loss_tracker = keras.metrics.Mean(name="loss")
        self.task_trackers = TaskTrackers(self.tasks)
        self.balance_log = BalanceLog(balancer)

    def build(self, input_shape: Any = None) -> None:
        """Creates all variables, including the balancer's, so that the optimizer knows them before the first step."""
        raw, read = encoded_shapes(self.encoder, self.backbone, self.wants)
        shapes = (None, raw.x, read, None)
        for part, shape in zip((self.encoder, self.backbone, self.architecture, self.balancer), shapes, strict=True):
            if not part.built:  # parts loaded from a file are built
                part.build(shape)
        build_on_representation((self.adversaries, self.objectives), self.architecture, read)
        check_task_kernels(self.regularizers, self.architecture)
        # Before the layers get the replica functions: there is no replica here.
        self.over = positions_over(self.balancer.over, self.backbone, self.architecture, raw)
        if not self.embedding_optimizer.built:
            self.embedding_optimizer.build(self.encoder.table_shapes)
        if self.row_counts is not None and not self.row_counts.built:
            self.row_counts.build([table.rows for table in self.encoder.fused])
        for layer in (*self.backbone._flatten_layers(), *self.architecture._flatten_layers(), *self.masks):
            if isinstance(layer, Dropout):
                layer.examples_before = replicas.examples_before
                layer.run = self._compiled_if_parts_are
        for own in (self.scales, self.bad_steps):
            if not own.built:
                own.build()
        # Keras' optimizer would keep state and compute gradients of the size of the tables.
        self.encoder.trainable = False
        if self.average is not None and not self.average.built:
            self.average.build([tuple(variable.shape) for variable in self.averaged])
        self.pass_every = steps_between(sum(math.prod(variable.shape) for variable in self.averaged))
        self.reduction = self.add_weight(
            shape=(), initializer="ones", dtype="float32", trainable=False, autocast=False, name="rate_reduction"
        )

    def call(self, features: Mapping[str, Any], training: bool | None = None) -> dict[str, Any]:
        return self.logits(self.architecture(self.encode(features, training), training=training), training)

    def logits(self, outputs: Mapping[str, Any], training: bool | None = False) -> dict[str, Any]:
        """Outputs of the architecture -> {task: logits}: each task's outputs on its scale, from its constant."""
        if self.adversaries is not None:
            outputs = {**outputs, **self.adversaries(outputs[REPRESENTATION])}
        logits = self.scales([outputs[task] for task in self.tasks], training=training)
        return dict(zip(self.tasks, logits, strict=True))

    @property
    def averaged(self) -> list[keras.Variable]:
        """The weights of the network: what `average` averages."""
        return [*self.encoder.embeddings, *self.backbone.trainable_variables, *self.architecture.trainable_variables]

    def encode(self, features: Mapping[str, Any], training: bool | None = None) -> Encoded:
        """features -> input of the architecture."""
        row_ids = self.encoder.row_ids(features)
        return self._encoded(row_ids, self.encoder.gather(row_ids), features, training)[1]

    def _encoded(
        self, row_ids: Any, rows: Any, features: Mapping[str, Any], training: bool | None
    ) -> tuple[list[Any], Encoded]:
        xs = [self.encoder.assemble(rows, row_ids, features, copy) for copy in range(self.encoder.copies)]
        return xs, encoded(self.encoder, self.backbone, self.wants, xs, rows, row_ids, features, training)

    def _compiled_if_parts_are(self, work: Callable[[], Any]) -> Any:
        return compiled(work) if self.compiles_parts else work()

    def predictions(self, features: Mapping[str, Any]) -> dict[str, Any]:
        """features -> {served task: (batch,) prediction}: probabilities for binary tasks, amounts for the others."""
        return self.predicted(self(features, training=False))

    def predicted(self, logits: Mapping[str, Any]) -> dict[str, Any]:
        """{task: logits} -> {served task: (batch,) prediction}."""
        losses = dict(zip(self.tasks, self.loss_functions, strict=True))
        served = [task.name for task in self.architecture.tasks if task.served]
        return {task: losses[task].prediction(logits[task]) for task in served}

    def first_bad_step(self) -> dict[str, int]:
        """{task: first training step, from 0, at which its loss or gradient was not finite}; {} if all were finite.

        Checks the gradient of each task: of its logits or, under a GradientCombiner, of the shared variables. A sum over
        tasks that overflows later shows in the losses of the next step.
        """
        return self.bad_steps.of(self.tasks) if self.built else {}

    @property
    def metrics(self) -> list[keras.Metric]:
        shares = self.objectives.shares.values() if self.objectives is not None else ()
        return [self.loss_tracker, *self.task_trackers.metrics, *self.balance_log.metrics, *shares]

    def train_step(self, data: tuple[Mapping[str, Any], Any, Any]) -> dict[str, Any]:
        features, labels, weights = data
        combines = isinstance(self.balancer, GradientCombiner)
        # Rows are gathered before the tape starts: gradients are taken of these rows, not of the tables.
        row_ids = self.encoder.row_ids(features)
        distinct = self.embedding_optimizer.distinct([replicas.gathered(ids) for ids in row_ids])
        rows = self.encoder.gather(row_ids)
        scaled = self.optimizer.scale_loss
        scale = scaled(tf.constant(1.0))
        with tf.GradientTape(persistent=self.balancer.over is not None) as tape:
            tape.watch(rows)
            xs, inputs = self._encoded(row_ids, rows, features, True)
            over = sources_over(self, inputs)
            outputs = self.architecture(inputs, training=True)
            logits = self.logits(outputs, training=True)
            added = [*self.backbone.losses, *self.architecture.losses]
            added += view_costs(self, xs, rows, row_ids, features)
            losses, weights = training_losses(self, outputs, logits, labels, weights, features.get(GROUP))
            losses = replicas.whole_batch(losses, weights)
            of_task = dict(zip(self.tasks, losses, strict=True))
            balanced, own = [of_task[task] for task in self.balancer.tasks], [] if combines else over
            evidence = evidence_of(balanced, self._balanced(weights), self.optimizer.iterations.value, tape, own, scale)
            factors = self.balancer.task_weights if combines else tf.unstack(self.balancer(evidence=evidence))
            weighted = [scaled(factor * loss) for factor, loss in zip(factors, balanced, strict=True)]
            extra = scaled(extra_losses(self, added, of_task, rows, distinct))
            total = tf.add_n(weighted) + extra
        of_outputs = [logits[task] for task in self.balancer.tasks]
        if combines:
            sources = [*xs, *(rows for rows, _ in inputs.rows.values())]
            parts = {"rows": rows, "encoded": sources, "outputs": of_outputs, "weighted": weighted, "extra": extra}
            dense, of_rows, observed, of_tasks = combined_gradients(tape, self, evidence, over, scale=scale, **parts)
        else:
            dense, of_rows, observed = gradients(tape, total, self.trainable_variables, rows, of_outputs)
            of_tasks = evidence.gradients
        del tape
        self.balance_log.update(factors, of_tasks)
        seen = of_task | dict(zip(self.balancer.tasks, observed, strict=True))
        self.bad_steps.record(finite(losses, [seen[task] for task in self.tasks]), self.optimizer.iterations)
        if replicas.count() == 1:
            self._compiled_if_parts_are(lambda: apply_gradients(self, dense, of_rows, distinct, scale))
        else:
            apply_gradients(self, dense, of_rows, distinct, scale)
        self.task_trackers.update(losses, weights)
        self.loss_tracker.update_state(total / scale, tf.math.count_nonzero(tf.reduce_any(weights > 0, axis=1)))
        return self.get_metrics_result()

    def test_step(self, data: tuple[Mapping[str, Any], Any, Any]) -> dict[str, Any]:
        features, labels, weights = data
        losses = task_losses(self, self(features, training=False), labels, weights, features.get(GROUP))
        self.task_trackers.update(losses, weights)
        # Over the epoch so far, not this batch: the task weights differ between batches.
        of_tasks = self.task_trackers.means()
        self.loss_tracker.reset_state()
        self.loss_tracker.update_state(tf.tensordot(self.balancer.task_weights, self._balanced(of_tasks), 1))
        # Of the whole batch in every replica: with a log of the balancer, Keras averages what is returned over the replicas.
        names = [tracker.name for tracker in self.task_trackers.metrics]
        return {"loss": self.loss_tracker.result(), **dict(zip(names, tf.unstack(of_tasks), strict=True))}

    def _balanced(self, by_task: Any) -> Any:
        """(..., task): the columns of the tasks that the balancer sees."""
        places = [self.tasks.index(task) for task in self.balancer.tasks]
        return tf.gather(by_task, places, axis=-1) if self.adversaries is not None else by_task

    def get_config(self) -> dict[str, Any]:
        parts = {key: getattr(self, key) for key in _PARTS} | {"regularizers": list(self.regularizers)}
        return {
            "name": self.name,
            **{key: keras.saving.serialize_keras_object(part) for key, part in parts.items()},
            "losses": dict(zip(self.tasks, self.loss_names, strict=True)),
            "loss_options": {task: dict(options) for task, options in self.loss_options.items()},
            "clip_norm": self.clip_norm,
            "average": self.average is not None,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> MultiTaskModel:
        parts = {key: keras.saving.deserialize_keras_object(config[key], custom_objects) for key in _PARTS}
        return cls(**{**config, **parts})
