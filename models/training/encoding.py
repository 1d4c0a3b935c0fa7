"""What an architecture reads, from the gathered rows of the embedding tables: x behind the backbone, parts and lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from models.architectures.base import Architecture
from models.architectures.encoded import Encoded, Wants
from models.backbones.base import Backbone
from models.layers.feature_encoder import FeatureEncoder
from models.recipe.errors import InputError
from models.recipe.registry import known


def checked_wants(architecture: Architecture, encoder: FeatureEncoder) -> Wants:
    """What the architecture wants.

    Raises:
        InputError: a feature that the encoder has not, or the single values of a feature that has only one.
    """
    wants, of = architecture.wants(), type(architecture).__name__
    names, lists = [name for name, *_ in encoder.slices], [name for name, _ in encoder.multivalued]
    for name in wants.parts:
        if name not in names:
            raise InputError(f"{of}: reads the feature {name!r}, which the recipe has not; {known(name, names)}")
    for name in wants.rows:
        if name not in lists:
            raise InputError(
                f"{of}: reads the values of {name!r} one by one, expected a multi-valued feature; {known(name, lists)}"
            )
    return wants


def encoded_shapes(encoder: FeatureEncoder, backbone: Backbone, wants: Wants) -> tuple[Encoded, Encoded]:
    """The shapes of `encoded`: below the backbone, and as the architecture reads it."""
    widths = {name: end - start for name, start, end in encoder.slices}
    raw = Encoded(
        (None, encoder.dim),
        {name: (None, widths[name]) for name in wants.parts},
        {name: ((None, None, widths[name]), (None, None)) for name in wants.rows},
    )
    return raw, raw._replace(x=backbone.compute_output_shape(raw.x))


def encoded(
    encoder: FeatureEncoder,
    backbone: Backbone,
    wants: Wants,
    x: Any,
    rows: Sequence[Any],
    row_ids: Sequence[Any],
    features: Mapping[str, Any],
    training: bool | None,
) -> Encoded:
    """Encoded of a batch.

    Args:
        encoder: which made x.
        backbone: which x goes through.
        wants: of the architecture.
        x: (batch, dim), the encoder's output.
        rows: the gathered rows of each fused table.
        row_ids: their ids.
        features: of the batch.
        training: whether the backbone's dropout draws.
    """
    where = {name: slice(start, end) for name, start, end in encoder.slices}
    return Encoded(
        backbone(x, training=training),
        {name: x[:, where[name]] for name in wants.parts},
        encoder.unpooled(rows, row_ids, features, wants.rows) if wants.rows else {},
    )
