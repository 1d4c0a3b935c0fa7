"""Ranking for one user: computes the user's part of the network once per request, not once per candidate.

The encoded features x of a candidate consist of the user's part u, equal for all candidates, and its own part c. The
layers that read x compute x @ W + b = c @ W_c + (b + u @ W_u), with the rows of W of each part. So the architecture
runs unchanged as a narrower twin on c: its first kernels are W_c, and its first biases include the user's part. This
holds for architectures with `user_once`; others compute each candidate in full.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from models.architectures.base import Architecture
from models.architectures.encoded import Encoded
from models.features.encoder import encoder_of
from models.features.layout import FeatureLayout, features_of, missing_name, part_of
from models.layers.feature_encoder import FeatureEncoder
from models.recipe.errors import TrainingError

if TYPE_CHECKING:
    from models.training.multi_task_model import MultiTaskModel


class SplitArchitecture:
    """An architecture on the encoded features of one user, one row, and of the candidates.

    It copies parts of the architecture's first kernels on creation, and shares all other variables with it.

    Args:
        architecture: a built float32 architecture with `user_once`.
        of_user: (dim,) bool mask of the user's columns of x.

    Call: (1, user's dim), (candidate, candidates' dim) -> {task: (candidate,) logits}.

    Raises:
        ValueError: the architecture reads x by anything but kernels with a bias.
    """

    def __init__(self, architecture: Architecture, of_user: np.ndarray) -> None:
        self.architecture = architecture
        self.twin = type(architecture).from_config(architecture.get_config())
        self.twin.build(Encoded((None, int((~of_user).sum()))))
        self.kernels: dict[str, tuple[tf.Variable, tf.Variable]] = {}
        for own, narrow in self._pairs():
            if own.shape == narrow.shape:
                continue
            whole = ops.convert_to_numpy(own.value)
            if whole.shape[-2:-1] != of_user.shape:
                raise ValueError(f"{own.path} of shape {own.shape} is not a kernel of the encoded features.")
            parts = [np.compress(rows, whole, axis=-2) for rows in (of_user, ~of_user)]
            if parts[1].shape != tuple(narrow.shape):
                raise ValueError(f"{own.path} of shape {own.shape} is not a kernel of the encoded features.")
            self.kernels[own.path] = (tf.Variable(parts[0], trainable=False), tf.Variable(parts[1], trainable=False))
        biases = {path.rpartition("/")[0] + "/bias" for path in self.kernels}
        if missing := biases - {own.path for own, _ in self._pairs()}:
            raise ValueError(f"expected biases {sorted(missing)} of the first kernels, found none.")

    def __call__(self, u: Any, c: Any) -> dict[str, Any]:
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
            Encoded(c),
            training=False,
        )
        return logits

    def _pairs(self) -> list[tuple[keras.Variable, keras.Variable]]:
        """Pairs of a variable of the architecture and its twin."""
        return list(zip(self.architecture.variables, self.twin.variables, strict=True))


class UserOnce:
    """The predictions of a trained model for one user and many candidates.

    Args:
        model: trained model that predicts in float32 and for which `why_not` returns "".
        layout: layout of all features.
        user_features: features of the user: at least one, but not all.

    Call: the packed columns of one user, (1, ...), and of the candidates, (candidate, ...) -> {task: (candidate,)}.

    Raises:
        ValueError: one of the two parts has no feature, or as `SplitArchitecture`.
    """

    def __init__(self, model: MultiTaskModel, layout: FeatureLayout, user_features: Collection[str]) -> None:
        others = [name for name in features_of(layout) if name not in user_features]
        self.model = model
        self.user_layout, self.candidate_layout = part_of(layout, user_features), part_of(layout, others)
        if not features_of(self.user_layout) or not others:
            raise ValueError("UserOnce: expected features of the user and others.")
        self.encoders = [encoder_of(part) for part in (self.user_layout, self.candidate_layout)]
        self.split = SplitArchitecture(model.architecture, _positions(model.encoder, user_features))

    def __call__(self, user: Mapping[str, Any], candidates: Mapping[str, Any]) -> dict[str, Any]:
        u, c = (self._encoded(*pair) for pair in zip(self.encoders, (user, candidates), strict=True))
        return self.model.predicted(self.model.logits(self.split(u, c)))

    def _encoded(self, encoder: FeatureEncoder, features: Mapping[str, Any]) -> Any:
        """(row, dim): output of the model's encoder for a part of the features, from the model's tables."""
        whole = self.model.encoder
        tables = {table.dim: embeddings for table, embeddings in zip(whole.fused, whole.embeddings, strict=True)}
        row_ids = encoder.row_ids(features)
        rows = [
            ops.take(tables[table.dim].value, ids, axis=0) for table, ids in zip(encoder.fused, row_ids, strict=True)
        ]
        return encoder.assemble(rows, row_ids, features)


def why_not(model: MultiTaskModel) -> str:
    """The reason why the user's part cannot be computed once; "" if it can."""
    for part in (model.backbone, model.architecture):
        if not part.user_once:
            return f"{type(part).__name__} may mix the user's features with the candidate's (user_once is False)"
    wants = model.architecture.wants()
    besides = wants.parts or wants.rows or wants.tables_by_task
    return f"{type(model.architecture).__name__} reads features besides x" if besides else ""


def check_split(architecture: Architecture, dim: int) -> None:
    """Checks `user_once` of an architecture on random numbers. Architectures in other packages have no contract test here.

    Args:
        architecture: float32 architecture. The check builds a copy.
        dim: width of x, at least 2.

    Raises:
        TrainingError: the predictions differ if user and candidates are split.
    """
    twin = type(architecture).from_config(architecture.get_config())
    twin.build(Encoded((None, dim)))
    random = np.random.default_rng(0)
    for variable in twin.trainable_variables:  # biases of 0 would hide errors
        variable.assign(variable.value + random.normal(size=variable.shape, scale=0.1).astype("float32"))
    of_user = np.arange(dim) % 2 == 0
    x = random.normal(size=(3, dim)).astype("float32")
    x[:, of_user] = x[0, of_user]
    whole = twin(Encoded(tf.constant(x)), training=False)
    try:
        split = SplitArchitecture(twin, of_user)(tf.constant(x[:1, of_user]), tf.constant(x[:, ~of_user]))
        differs = [task for task in whole if not np.allclose(split[task], whole[task], rtol=1e-3, atol=1e-4)]
        reason = f"its logits of {', '.join(differs)} differ." if differs else ""
    except (ValueError, TypeError, tf.errors.InvalidArgumentError) as error:
        reason = f"it fails: {str(error).rstrip('.')}."
    if reason:
        raise TrainingError(
            f"{type(architecture).__name__}: sets `user_once = True`, but with the user's part of x computed once for all "
            f"candidates {reason} Remove `user_once`; requests then compute each candidate in full."
        )


def _positions(encoder: FeatureEncoder, features: Collection[str]) -> np.ndarray:
    """(dim,) bool mask of the encoder's outputs that belong to the given features."""
    names = {*features, *map(missing_name, features)}
    return np.concatenate([np.full(end - start, name in names) for name, start, end in encoder.slices])
