"""The two towers and their training step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from models.embedding_optimizers.lazy_adam import LazyAdam
from models.embedding_optimizers.one_pass import one_pass
from models.features.encoder import encoder_of
from models.layers.dense import Dense
from models.layers.mlp import MLP
from models.recipe.retrieval import Retrieval
from models.retrieval.plan import HISTORY
from models.retrieval.recommenders import load_keras_2, load_recommenders
from models.retrieval.side import Side
from models.training.gradients import gradients


class Tower(keras.layers.Layer):
    """Maps features to a vector: the encoder of one side, hidden layers and a linear layer.

    vector = W mlp(encoder(features)) + b, divided by its length if `normalise`.

    Args:
        side: inputs of the tower.
        units: sizes of the hidden layers.
        dim: width of the vector.
        normalise: whether vectors are normalized to length 1.

    Call: {"categorical", "numeric", "multivalued/<feature>": (batch, width)} -> (batch, dim).
    """

    def __init__(self, side: Side, units: tuple[int, ...], dim: int, normalise: bool, **layer: Any) -> None:
        super().__init__(**layer)
        history = {HISTORY: (side.history[0], "mean")} if side.history is not None else None
        self.encoder = encoder_of(side.layout, history)
        self.encoder.fill = one_pass
        self.hidden = MLP(units)
        self.out = Dense(dim)
        self.normalise = normalise

    def build(self, input_shape: Any = None) -> None:
        self.encoder.build(None)
        self.hidden.build((None, self.encoder.dim))
        self.out.build(self.hidden.compute_output_shape((None, self.encoder.dim)))
        # Updated by the embedding optimizer, as in the ranker.
        self.encoder.trainable = False

    def call(self, features: Mapping[str, Any]) -> Any:
        ids = self.encoder.row_ids(features)
        return self.of_rows(self.encoder.gather(ids), ids, features)

    def of_rows(self, rows: list[Any], ids: list[Any], features: Mapping[str, Any]) -> Any:
        """Vectors from the gathered rows of the embedding tables."""
        vectors = self.out(self.hidden(self.encoder.assemble(rows, ids, features)))
        return vectors / ops.maximum(ops.norm(vectors, axis=-1, keepdims=True), 1e-6) if self.normalise else vectors


class TwoTower(keras.Model):
    """A user tower and an item tower. The score of a pair is the inner product of their vectors, divided by the temperature.

    Training minimizes, over a batch of positives (u_i, v_i) of weight w_i,

        sum_i w_i (ln sum_j exp(s_ij) - s_ii) / sum_i w_i,    s_ij = u_i . v_j / temperature - ln q_j

    with q_j the share of item j among the positives if `log_q` (Yi et al. 2019, "Sampling-bias-corrected neural modeling
    for large corpus item recommendations"), else 1. `tfrs.tasks.Retrieval` computes it.

    Args:
        users, items: inputs of each tower.
        options: the section `retrieval` of the recipe.
    """

    def __init__(self, users: Side, items: Side, options: Retrieval, **model: Any) -> None:
        super().__init__(**model)
        self.sides = (users, items)
        self.options = options
        self.towers = [
            Tower(side, options.units, options.dim, options.normalise, name=name)
            for side, name in ((users, "user"), (items, "item"))
        ]
        self.embedding_optimizers = [LazyAdam(learning_rate=options.learning_rate) for _ in self.towers]
        self.task = load_recommenders().tasks.Retrieval(
            loss=load_keras_2().losses.CategoricalCrossentropy(from_logits=True, reduction="sum"),
            temperature=options.temperature,
            num_hard_negatives=options.hard_negatives,
            remove_accidental_hits=options.remove_accidental_hits,
        )

    def build(self, input_shape: Any = None) -> None:
        for tower, optimizer in zip(self.towers, self.embedding_optimizers, strict=True):
            tower.build()
            optimizer.build([(table.rows, table.dim) for table in tower.encoder.fused])

    def user_vectors(self, features: Mapping[str, Any]) -> Any:
        """(batch, dim) user vectors, divided by the temperature. The score is the inner product with an item vector."""
        return self.towers[0](features) / self.options.temperature

    def item_vectors(self, features: Mapping[str, Any]) -> Any:
        """(batch, dim)."""
        return self.towers[1](features)

    def loss_of(self, users: Any, items: Any, item: Any, log_q: Any, weight: Any) -> Any:
        """The loss of a batch, a scalar. `users` and `items` are vectors (batch, dim), not divided by the temperature."""
        if self.options.log_q:
            users, items = self._with_correction(users, items, log_q)
        total = self.task(
            users,
            items,
            sample_weight=weight,
            candidate_ids=item,
            compute_metrics=False,
            compute_batch_metrics=False,
        )
        return total / tf.maximum(tf.reduce_sum(weight), 1e-30)

    def _with_correction(self, users: Any, items: Any, log_q: Any) -> tuple[Any, Any]:
        """Extends the vectors by one entry, whose product subtracts ln q from the scores.

        Replaces the task's `candidate_sampling_probability`, which clips shares at 1e-6: with more than a million positives,
        all rare items would have the same frequency.
        """
        taken_off = -self.options.temperature * log_q[:, tf.newaxis]
        return tf.concat([users, tf.ones_like(users[:, :1])], axis=1), tf.concat([items, taken_off], axis=1)

    def step(self, packed: Mapping[str, Any], item: Any, log_q: Any, weight: Any) -> Any:
        """Runs one training step. Returns the loss of the batch before the update.

        Args:
            packed: all packed columns of the batch.
            item: (batch,) int32.
            log_q: (batch,) float32.
            weight: (batch,) float32. Positives of weight 0 do not count, but serve as negatives.
        """
        features = [side.select(packed) for side in self.sides]
        ids = [tower.encoder.row_ids(its) for tower, its in zip(self.towers, features, strict=True)]
        rows = [tower.encoder.gather(its_ids) for tower, its_ids in zip(self.towers, ids, strict=True)]
        distinct = [optimizer.distinct(its) for optimizer, its in zip(self.embedding_optimizers, ids, strict=True)]
        with tf.GradientTape() as tape:
            tape.watch(rows)
            users, items = (
                tower.of_rows(its_rows, its_ids, its)
                for tower, its_rows, its_ids, its in zip(self.towers, rows, ids, features, strict=True)
            )
            loss = self.loss_of(users, items, item, log_q, weight)
        dense, *of_rows = gradients(tape, loss, self.trainable_variables, *rows)
        number = tf.cast(self.optimizer.iterations, "float32") + 1.0
        for tower, optimizer, its_distinct, its_gradients in zip(
            self.towers, self.embedding_optimizers, distinct, of_rows, strict=True
        ):
            for index, (table, one, gradient) in enumerate(
                zip(tower.encoder.embeddings, its_distinct, its_gradients, strict=True)
            ):
                sums = one.sums(tf.reshape(gradient, (-1, gradient.shape[-1])))
                optimizer.apply(table, index, one, sums, number)
        self.optimizer.apply(dense, self.trainable_variables)
        return loss
