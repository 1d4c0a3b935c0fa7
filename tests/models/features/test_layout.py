"""The layout of the packed columns."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from models.features.layout import Analysed, FeatureLayout, feature_layout, features_of, part_of
from models.recipe.errors import InputError
from models.recipe.features import Bucketised, Categorical, MultiValued, Numeric, Periodic, PiecewiseLinear

FEATURES = {
    "price": Numeric(kind="numeric"),
    "tags": MultiValued(kind="multivalued", embedding="tag", dim=3, max_length=5, pooling="max", oov_buckets=2),
    "age": Bucketised(kind="bucketised", buckets=4, dim=2),
    "main_tag": Categorical(kind="categorical", embedding="tag", dim=3, oov_buckets=2),
    "device": Categorical(kind="categorical", dim=8),
    "size": Numeric(kind="numeric", scale="none"),
}
ANALYSED = Analysed(
    vocabulary_sizes={"tag": 10, "device": 0},
    boundaries={"age": (1.0, 2.0)},
    scaling={"price": (0.0, 1.0), "size": (0.0, 1.0)},
)


def test_layout_by_hand() -> None:
    layout = feature_layout(FEATURES, ANALYSED)
    # Missing + outside of the vocabulary + vocabulary; missing + intervals.
    assert layout.tables == {"tag": (1 + 2 + 10, 3), "age": (1 + 3, 2), "device": (1 + 1 + 0, 8)}
    assert layout.categorical == (("age", "age"), ("main_tag", "tag"), ("device", "device"))
    assert layout.multivalued == {"tags": ("tag", "max", 5)}
    assert layout.numeric == ("price", "price_missing", "size", "size_missing")


def test_tables_have_room_for_more_values() -> None:
    hashed = Categorical(kind="categorical", dim=8, vocabulary=None, hash_buckets=5)
    features = {**FEATURES, "device": Categorical(kind="categorical", dim=8, vocabulary=70), "place": hashed}
    tables = feature_layout(features, ANALYSED, {"tag": 64, "device": 70}).tables
    assert tables == {"tag": (1 + 2 + 64, 3), "age": (1 + 3, 2), "device": (1 + 1 + 70, 8), "place": (1 + 5, 8)}


def test_features_of_several_inputs_by_hand() -> None:
    features = {
        "price": FEATURES["price"],
        "ages": PiecewiseLinear(kind="piecewise_linear", buckets=4),
        "constant": PiecewiseLinear(kind="piecewise_linear", buckets=4),
        "hour": Periodic(kind="periodic", period=24, harmonics=2),
    }
    boundaries = {"ages": (0.0, 20.0, 90.0), "constant": (1.0, 1.0)}
    layout = feature_layout(features, Analysed(vocabulary_sizes={}, boundaries=boundaries, scaling={}))
    ages, hour = ("ages/1", "ages/2", "ages_missing"), ("hour/sin1", "hour/cos1", "hour/sin2", "hour/cos2")
    constant = ("constant/1", "constant_missing")
    assert layout.numeric == ("price", "price_missing", *ages, *constant, *hour, "hour_missing")
    assert features_of(layout) == ("price", "ages", "constant", "hour")
    assert part_of(layout, ("ages", "hour")).numeric == (*ages, *hour, "hour_missing")
    assert features_of(part_of(layout, ("hour", "price"))) == ("price", "hour")


def test_features_without_a_vocabulary_by_hand() -> None:
    hashed: dict[str, Any] = {"vocabulary": None, "hash_buckets": 100, "dim": 4}
    features = {
        "plain": Categorical(kind="categorical", **hashed),
        "pair": Categorical(kind="categorical", quotient_remainder=True, **hashed),
        "list": MultiValued(kind="multivalued", max_length=5, **hashed),
        "pairs": MultiValued(kind="multivalued", max_length=5, pooling="max", quotient_remainder=True, **hashed),
    }
    layout = feature_layout(features, Analysed(vocabulary_sizes={}, boundaries={}, scaling={}))
    assert layout.tables == {"plain": (101, 4), "pair": (201, 4), "list": (101, 4), "pairs": (201, 4)}
    assert layout.categorical == (("plain", "plain"),)
    assert layout.multivalued == {
        "pair": ("pair", "sum", 2),
        "list": ("list", "mean", 5),
        "pairs": ("pairs", "max", 10),
    }
    assert layout.quotient_remainder == ("pair", "pairs")
    assert FeatureLayout.from_json(layout.to_json()) == layout


def test_json_round_trip() -> None:
    layout = feature_layout(FEATURES, ANALYSED)
    again = FeatureLayout.from_json(layout.to_json())
    assert again == layout
    assert list(again.tables) == list(layout.tables)
    assert json.loads(layout.to_json())["tables"]["tag"] == [13, 3]


def test_load(tmp_path: Path) -> None:
    (tmp_path / "layout.json").write_text(feature_layout(FEATURES, ANALYSED).to_json())
    assert FeatureLayout.load(tmp_path) == feature_layout(FEATURES, ANALYSED)
    with pytest.raises(InputError, match=r"expected a TransformGraph of the features stage, found no layout\.json"):
        FeatureLayout.load(tmp_path / "elsewhere")


def test_a_width_must_be_filled_in() -> None:
    with pytest.raises(ValueError, match="'device': dim is missing"):
        feature_layout({"device": Categorical(kind="categorical")}, ANALYSED)


def test_imports_no_tensorflow() -> None:
    code = "import sys, models.features.layout; print('tensorflow' in sys.modules)"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "False"
