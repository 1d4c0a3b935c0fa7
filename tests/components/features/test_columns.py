"""List columns as arrays."""

import numpy as np
import pyarrow as pa
import pytest

from components.features.columns import (
    check_columns,
    distinct_values,
    first_values,
    lengths,
    one_of_each,
    rows_of,
)
from models.recipe.errors import InputError
from models.recipe.features import Bucketised, Categorical, Numeric

LISTS = [[1, 2, 3], None, [], [4], [5, 6]]


@pytest.mark.parametrize("kind", [pa.large_list(pa.int64()), pa.list_(pa.int64())])
def test_lengths_rows_and_first_values(kind: pa.DataType) -> None:
    column = pa.array([[0], *LISTS], kind).slice(1)
    assert lengths(column).tolist() == [3, 0, 0, 1, 2]
    assert rows_of(column).tolist() == [0, 0, 0, 3, 4, 4]
    assert first_values(column, 2).to_pylist() == [1, 2, 4, 5, 6]
    assert first_values(column, 3).to_pylist() == [1, 2, 3, 4, 5, 6]
    values, places = distinct_values(column)
    assert (values.tolist(), places) == ([1, 2, 3, 4, 5, 6], None)


def test_rows_of_one_value_or_none() -> None:
    kind = pa.large_list(pa.int64())
    assert rows_of(pa.array([[5], None, [], [6]], kind)).tolist() == [0, 3]
    assert rows_of(pa.array([None, []], kind)).tolist() == []
    assert rows_of(pa.array([], kind)).tolist() == []
    assert rows_of(pa.array([[5], [6]], kind)) is None


def test_bytes_become_objects_and_keep_what_is_no_utf8() -> None:
    column = pa.array([[b"\xff\x00", b"a"], [b"a"]], pa.large_list(pa.large_binary()))
    values, places = distinct_values(column)
    assert (values.tolist(), places.tolist()) == ([b"\xff\x00", b"a"], [0, 1, 1])
    values, places = distinct_values(column.slice(1))
    assert (values.tolist(), places.tolist()) == ([b"a"], [0])
    values, places = distinct_values(column.slice(0, 0))
    assert (values.tolist(), places.tolist()) == ([b""], [])


def test_one_of_each() -> None:
    kind = pa.large_list(pa.float32())
    batch = pa.RecordBatch.from_pydict({"a": pa.array([[1.0], [2.0]], kind), "b": pa.array([[3.0], [4.0]], kind)})
    assert one_of_each(batch, ["b", "a"]).tolist() == [[3.0, 1.0], [4.0, 2.0]]
    assert one_of_each(batch, ["a"]).dtype == np.float32
    broken = pa.RecordBatch.from_pydict({"a": pa.array([[1.0, 2.0], []], kind)})
    with pytest.raises(ValueError, match="'a' must have exactly one value in every row"):
        one_of_each(broken, ["a"])


def test_check_columns_names_the_feature_and_the_column() -> None:
    schema = pa.schema({"device": pa.large_list(pa.large_binary()), "age": pa.float32()})
    check_columns(schema, {"d": Categorical(kind="categorical", column="device")}, "f")
    with pytest.raises(InputError, match=r"f: feature 'price' reads the column 'cost'.*Their columns: device, age"):
        check_columns(schema, {"price": Numeric(kind="numeric", column="cost")}, "f")
    with pytest.raises(InputError, match="'device' as a list of float, found large_list<item: large_binary>"):
        check_columns(schema, {"device": Numeric(kind="numeric")}, "f")
    with pytest.raises(InputError, match="'age' as a list of float, found float"):
        check_columns(schema, {"age": Bucketised(kind="bucketised", buckets=3)}, "f")
