"""Packed columns as the served model sees them: features with `served_as` have their served value."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from models.features.layout import FeatureLayout, part_of
from models.serving import named_tensors
from models.serving.loading import load_saved_model


def served_row(transform_graph: Path, layout: FeatureLayout, served: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The packed columns, (1, ...), of a row that has only the served values.

    Args:
        transform_graph: folder of the TransformGraph.
        layout: feature layout from this folder.
        served: {raw column: value}.
    """
    import tensorflow_transform as tft

    from models.features.preprocessing import pack

    graph = tft.TFTransformOutput(str(transform_graph))
    columns = {
        name: named_tensors.one_value(served[name], about.dtype, tf.constant(1))
        if name in served
        else named_tensors.no_values(about.dtype, tf.constant(1))
        for name, about in graph.raw_feature_spec().items()
    }
    transform = load_saved_model(graph.transform_savedmodel_dir)
    return {name: values.numpy() for name, values in pack(transform.transform_fn(columns), layout).items()}


def with_served(
    columns: Mapping[str, np.ndarray], row: Mapping[str, np.ndarray], layout: FeatureLayout, features: Collection[str]
) -> dict[str, np.ndarray]:
    """The packed columns with the values of `row` in the inputs of some features.

    Args:
        columns: (example, width) each.
        row: (1, width) each, from `served_row`.
        layout: their layout.
        features: the features to replace.
    """
    part, found = part_of(layout, features), dict(columns)
    for name, all_inputs, inputs in (
        ("categorical", layout.categorical, part.categorical),
        ("numeric", layout.numeric, part.numeric),
    ):
        if inputs:
            mine = np.isin(np.arange(len(all_inputs)), [all_inputs.index(one) for one in inputs])
            found[name] = np.where(mine, row[name], columns[name])
    for name in (f"multivalued/{feature}" for feature in part.multivalued):
        found[name] = np.broadcast_to(row[name], columns[name].shape)
    return found
