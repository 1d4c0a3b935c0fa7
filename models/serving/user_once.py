"""Ranking for one user: the user's part of the network is computed once for each request, not for each candidate.

The encoded features x of a candidate are the user's u, the same for all, and its own c. What reads x multiplies it by a
kernel W and adds a bias b, and x @ W + b = c @ W_c + (b + u @ W_u), with the rows of W that belong to each part. So
the architecture runs unchanged, as a narrower twin on c, whose first kernels are W_c and whose first biases hold the
user's part.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from models.features.layout import FeatureLayout, features_of, missing_name, part_of
from models.layers.feature_encoder import FeatureEncoder

if TYPE_CHECKING:
    from models.training.multi_task_model import MultiTaskModel


class UserOnce:
    """The predictions of a trained model for one user and many candidates.

    Its variables are parts of the model's first kernels, copied when it is made; all others are the model's own.

    Args:
        model: trained; it predicts in float32.
        layout: of all features.
        user_features: those of the user: neither none nor all of them.

    Call: the packed columns of one user, (1, ...), and of the candidates, (candidate, ...) -> {task: (candidate,)}.

    Raises:
        ValueError: one of the two parts has no feature, or the architecture reads its input otherwise than by kernels
            with a bias.
    """

    def __init__(self, model: MultiTaskModel, layout: FeatureLayout, user_features: Collection[str]) -> None:
        others = [name for name in features_of(layout) if name not in user_features]
        self.model = model
        self.user_layout, self.candidate_layout = part_of(layout, user_features), part_of(layout, others)
        if not features_of(self.user_layout) or not others:
            raise ValueError("UserOnce: expected features of the user and others.")
        self.encoders = [_encoder(part, layout) for part in (self.user_layout, self.candidate_layout)]
        architecture = model.architecture
        self.twin = type(architecture).from_config(architecture.get_config())
        self.twin.build((None, self.encoders[1].dim))
        of_user = _positions(layout, user_features)
        self.kernels: dict[str, tuple[tf.Variable, tf.Variable]] = {}
        for own, narrow in self._pairs():
            if own.shape == narrow.shape:
                continue
            whole = ops.convert_to_numpy(own.value)
            parts = [np.compress(rows, whole, axis=-2) for rows in (of_user, ~of_user)]
            if parts[1].shape != tuple(narrow.shape):
                raise ValueError(f"UserOnce: {own.path} of shape {own.shape} is no kernel of the encoded features.")
            self.kernels[own.path] = (tf.Variable(parts[0], trainable=False), tf.Variable(parts[1], trainable=False))
        biases = {path.rpartition("/")[0] + "/bias" for path in self.kernels}
        if missing := biases - {own.path for own, _ in self._pairs()}:
            raise ValueError(f"UserOnce: expected biases {sorted(missing)} beside the first kernels, found none.")

    def __call__(self, user: Mapping[str, Any], candidates: Mapping[str, Any]) -> dict[str, Any]:
        u, c = (self._encoded(*pair) for pair in zip(self.encoders, (user, candidates), strict=True))
        added = {
            path.rpartition("/")[0] + "/bias": ops.reshape(
                ops.matmul(u, of_user), (*of_user.shape[:-2], of_user.shape[-1])
            )
            for path, (of_user, _) in self.kernels.items()
        }
        values = {
            id(narrow): self.kernels[own.path][1].value()
            if own.path in self.kernels
            else own.value + added[own.path]
            if own.path in added
            else own.value
            for own, narrow in self._pairs()
        }
        logits, _ = self.twin.stateless_call(
            [values[id(variable)] for variable in self.twin.trainable_variables],
            [values[id(variable)] for variable in self.twin.non_trainable_variables],
            c,
            training=False,
        )
        losses = zip(self.model.tasks, self.model.loss_functions, strict=True)
        return {task: loss.prediction(logits[task]) for task, loss in losses}

    def _pairs(self) -> list[tuple[keras.Variable, keras.Variable]]:
        """Each of the architecture's variables, and the twin's."""
        return list(zip(self.model.architecture.variables, self.twin.variables, strict=True))

    def _encoded(self, encoder: FeatureEncoder, features: Mapping[str, Any]) -> Any:
        """(row, dim): what the model's encoder gives for a part of the features, from its own tables."""
        whole = self.model.encoder
        tables = {table.dim: embeddings for table, embeddings in zip(whole.fused, whole.embeddings, strict=True)}
        row_ids = encoder.row_ids(features)
        rows = [
            ops.take(tables[table.dim].value, ids, axis=0) for table, ids in zip(encoder.fused, row_ids, strict=True)
        ]
        return encoder.assemble(rows, row_ids, features)


def _encoder(part: FeatureLayout, whole: FeatureLayout) -> FeatureEncoder:
    """Reads the tables of the whole, which lie where they did: a width's tables are fused, whoever reads them."""
    return FeatureEncoder(
        dict(whole.tables),
        categorical=tuple(table for _, table in part.categorical),
        multivalued={name: (table, pooling) for name, (table, pooling, _) in part.multivalued.items()},
        numeric=len(part.numeric),
        quotient_remainder=part.quotient_remainder,
    )


def _positions(layout: FeatureLayout, features: Collection[str]) -> np.ndarray:
    """(dim,) bool: which of the encoder's outputs are those of some features."""
    numbers = {*features, *map(missing_name, features)}
    dims = {table: dim for table, (_, dim) in layout.tables.items()}
    belongs = [
        *((name in features, dims[table]) for name, table in layout.categorical),
        *((name in features, dims[table]) for name, (table, _, _) in layout.multivalued.items()),
        *((name in numbers, 1) for name in layout.numeric),
    ]
    return np.concatenate([np.full(width, of_user) for of_user, width in belongs])
