"""Statistics of small tables, in memory, and as artifacts."""

from __future__ import annotations

import os

import numpy as np
import pandas as pd
import pytest
import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx.types import standard_artifacts


def statistics_of(frame: pd.DataFrame, categories: tuple[str, ...] = ()):
    if not categories:
        return tfdv.generate_statistics_from_dataframe(frame)
    schema = schema_pb2.Schema()
    for name in categories:
        schema.feature.add(name=name, type=schema_pb2.INT).int_domain.is_categorical = True
    return tfdv.generate_statistics_from_dataframe(frame[list(categories)], tfdv.StatsOptions(schema=schema))


@pytest.fixture
def statistics():
    """The statistics of a data frame: `statistics(frame, categories=())`."""
    return statistics_of


@pytest.fixture
def frame():
    """A data frame with exact shares: phone `phones`, tablet the rest; item 3 `threes`, item 5 the rest; price from `low`."""

    def make(phones=0.5, threes=0.5, low=0.0, rows=1000, **columns) -> pd.DataFrame:
        cut, item_cut = int(rows * phones), int(rows * threes)
        given = {
            "device": ["phone"] * cut + ["tablet"] * (rows - cut),
            "item": [3] * item_cut + [5] * (rows - item_cut),
            "price": (np.linspace(0.0, 10.0, rows) + low).astype(np.float32),
            "label/click": np.tile([0.0, 1.0], rows // 2).astype(np.float32),
        }
        return pd.DataFrame({**given, **columns})

    return make


@pytest.fixture
def make_statistics(tmp_path):
    """Makes an ExampleStatistics artifact from {split: data frame}."""

    def make(name: str, splits: dict[str, pd.DataFrame], artifact_id: int) -> standard_artifacts.ExampleStatistics:
        artifact = standard_artifacts.ExampleStatistics()
        artifact.uri = str(tmp_path / name)
        artifact.id = artifact_id
        artifact.split_names = '["train", "eval"]'
        artifact.span = 3
        for split, table in splits.items():
            folder = os.path.join(artifact.uri, f"Split-{split}")
            os.makedirs(folder)
            for file, categories in (("FeatureStats.pb", ()), ("IntegerCategories.pb", ("item",))):
                with open(os.path.join(folder, file), "wb") as output:
                    output.write(statistics_of(table, categories).SerializeToString())
        return artifact

    return make


@pytest.fixture
def make_schema(tmp_path):
    """Makes a Schema artifact from a schema proto."""

    def make(schema: schema_pb2.Schema) -> standard_artifacts.Schema:
        artifact = standard_artifacts.Schema()
        artifact.uri = str(tmp_path / "schema")
        os.makedirs(artifact.uri)
        tfdv.write_schema_text(schema, os.path.join(artifact.uri, "schema.pbtxt"))
        return artifact

    return make
