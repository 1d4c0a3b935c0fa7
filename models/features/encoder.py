"""The feature encoder of a layout."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.features.layout import FeatureLayout
from models.layers.feature_encoder import FeatureEncoder


def encoder_of(
    layout: FeatureLayout, more: Mapping[str, tuple[str, str]] | None = None, copies: int = 1, **layer: Any
) -> FeatureEncoder:
    """The encoder of the features of a layout. A part of a layout reads the tables of the whole at the same offsets.

    Args:
        layout: layout of the features.
        more: further lists, {name: (table, pooling)}, after those of the layout.
        copies: number of embeddings of each value.
        layer: arguments of a Keras layer.
    """
    lists = {name: (table, pooling) for name, (table, pooling, _) in layout.multivalued.items()}
    return FeatureEncoder(
        layout.tables,
        categorical=dict(layout.categorical),
        multivalued={**lists, **(more or {})},
        numeric=layout.numeric,
        quotient_remainder=layout.quotient_remainder,
        copies=copies,
        **layer,
    )
