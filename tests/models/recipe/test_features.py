"""The raw columns that features read."""

from __future__ import annotations

import itertools

import pytest

from models.recipe.cross import Cross
from models.recipe.features import Categorical, Feature, Numeric, Periodic, column_types, feature_columns, quantities

READERS: dict[str, Feature] = {
    "size": Numeric(kind="numeric", column="x"),
    "exact": Categorical(kind="categorical", type="number", column="x"),
    "id": Categorical(kind="categorical", type="integer", column="x"),
    "few": Categorical(kind="categorical", type="integer", column="x", vocabulary=3, min_count=5),
}


@pytest.mark.parametrize("order", list(itertools.permutations(READERS)))
def test_a_column_with_an_integer_reader_is_of_integers_in_any_order(order: tuple[str, ...]) -> None:
    features = {name: READERS[name] for name in order}
    assert column_types(features) == {"x": "int"}
    assert quantities(features) == ("x",)
    assert feature_columns(features) == {"x": READERS[order[0]]}


def test_other_columns() -> None:
    features: dict[str, Feature] = {
        "size": READERS["size"],
        "exact": READERS["exact"],
        "y": Categorical(kind="categorical"),
        "z": Categorical(kind="categorical", type="integer"),
        "hour": Periodic(kind="periodic", period=24),
    }
    assert column_types(features) == {"x": "float", "y": "bytes", "z": "int", "hour": "float"}
    assert quantities(features) == ()


def test_a_cross_reads_columns_as_the_other_features_do() -> None:
    both = Cross(kind="cross", columns=("x", "place", "age"), hash_buckets=9, side="item")
    features: dict[str, Feature] = {
        "both": both,
        "id": READERS["id"],
        "age": Numeric(kind="numeric"),
        "age_id": Categorical(kind="categorical", type="integer", column="age", side="user"),
    }
    # Of `place`, which only the cross reads, the cross says the side; of the others, the first other reader does.
    assert feature_columns(features) == {"x": READERS["id"], "place": both, "age": features["age"]}
    assert list(feature_columns(features)) == ["x", "place", "age"]
    assert column_types(features) == {"x": "int", "place": "bytes", "age": "int"}
    assert quantities(features) == ("age",)
