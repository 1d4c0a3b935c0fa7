"""Builds the input of an architecture from the gathered embedding rows: x after the backbone, parts and lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from keras import ops

from models.architectures.base import Architecture
from models.architectures.encoded import Encoded, Wants
from models.backbones.base import Backbone
from models.layers.feature_encoder import FeatureEncoder
from models.recipe.errors import InputError
from models.recipe.registry import known


def checked_wants(architecture: Architecture, encoder: FeatureEncoder) -> Wants:
    """The features that the architecture requests besides x.

    Raises:
        InputError: the encoder lacks a feature, or the architecture reads the values of a single-valued feature.
    """
    wants, of = architecture.wants(), type(architecture).__name__
    names, lists = [name for name, *_ in encoder.slices], [name for name, _ in encoder.multivalued]
    for name in wants.parts:
        if name not in names:
            raise InputError(f"{of}: reads the feature {name!r}, which the recipe does not have; {known(name, names)}")
    for name in wants.rows:
        if name not in lists:
            raise InputError(
                f"{of}: reads the single values of {name!r}, expected a multi-valued feature; {known(name, lists)}"
            )
    return wants


def encoded_shapes(encoder: FeatureEncoder, backbone: Backbone, wants: Wants) -> tuple[Encoded, Encoded]:
    """Shapes of `encoded`, before the backbone and as the architecture reads it."""
    widths = {name: end - start for name, start, end in encoder.slices}
    raw = Encoded(
        (None, encoder.dim),
        {name: (None, widths[name]) for name in wants.parts},
        {name: ((None, None, widths[name]), (None, None)) for name in wants.rows},
        ((None, encoder.dim),) * (encoder.copies - 1),
    )
    read = backbone.compute_output_shape(raw.x)
    return raw, raw._replace(x=read, by_task=(read,) * len(raw.by_task))


def encoded(
    encoder: FeatureEncoder,
    backbone: Backbone,
    wants: Wants,
    xs: Sequence[Any],
    rows: Sequence[Any],
    row_ids: Sequence[Any],
    features: Mapping[str, Any],
    training: bool | None,
) -> Encoded:
    """The `Encoded` of a batch.

    Args:
        encoder: the encoder that computed x.
        backbone: applied to each of `xs`.
        wants: features that the architecture requests.
        xs: (batch, dim), the output of the encoder for each copy of the embeddings: x, then one for each task.
        rows: the gathered rows of each fused table.
        row_ids: ids of these rows.
        features: features of the batch.
        training: whether the backbone runs in training mode.
    """
    where = {name: slice(start, end) for name, start, end in encoder.slices}
    # A copy: where the backbone returns its input, the gradient of x must not contain that of its parts.
    x, *by_task = (ops.copy(backbone(one, training=training)) for one in xs)
    return Encoded(
        x,
        {name: xs[0][:, where[name]] for name in wants.parts},
        encoder.unpooled(rows, row_ids, features, wants.rows) if wants.rows else {},
        tuple(by_task),
    )
