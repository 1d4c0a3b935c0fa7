"""Two masked views of a batch, for the regularizers of the representation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from models.architectures.base import REPRESENTATION
from models.layers.dropout import Dropout
from models.layers.feature_encoder import FeatureEncoder
from models.regularizers.base import RepresentationRegularizer
from models.training.encoding import encoded

if TYPE_CHECKING:
    from models.training.multi_task_model import MultiTaskModel


def masks_of(regularizers: Sequence[Any]) -> list[Dropout]:
    """One layer for each regularizer of the representation, which draws the features that a view has."""
    return [Dropout(one.masked, dtype="float32") for one in regularizers if isinstance(one, RepresentationRegularizer)]


def view_costs(
    model: MultiTaskModel, xs: Sequence[Any], rows: Sequence[Any], row_ids: Sequence[Any], features: Mapping[str, Any]
) -> list[Any]:
    """The loss terms of the regularizers of the representation: one scalar each.

    Args:
        model: the model, whose architecture `represents`.
        xs, rows, row_ids, features: as for `models.training.encoding.encoded`.
    """
    names = [name for name, _, _ in model.encoder.slices]

    def view(mask: Dropout) -> Any:
        """(batch, width): the representation of the batch without the masked features."""
        kept = mask(tf.ones((tf.shape(xs[0])[0], len(names))), training=True)  # (batch, feature), of mean 1
        of_columns = tf.gather(kept, feature_of_columns(model.encoder), axis=1)
        masked = [x * tf.cast(of_columns, x.dtype) for x in xs]
        inputs = encoded(model.encoder, model.backbone, model.wants, masked, rows, row_ids, features, True)
        lists = {
            name: (values * tf.cast(kept[:, names.index(name), None, None], values.dtype), present)
            for name, (values, present) in inputs.rows.items()
        }
        return model.architecture(inputs._replace(rows=lists), training=True)[REPRESENTATION]

    regularizers = [one for one in model.regularizers if isinstance(one, RepresentationRegularizer)]
    return [one.call(view(mask), view(mask)) for one, mask in zip(regularizers, model.masks, strict=True)]


def feature_of_columns(encoder: FeatureEncoder) -> np.ndarray:
    """(dim,): the number of the feature of each column of x, by the order of `encoder.slices`."""
    return np.concatenate([np.full(end - start, number) for number, (_, start, end) in enumerate(encoder.slices)])
