from __future__ import annotations

import apache_beam as beam
import pytest
from apache_beam.testing.util import assert_that, equal_to

from components.beam.outputs import Broadcast, BroadcastValue, Reduce, Select, without_broadcast


def test_kinds_apart_one_of_all_and_all_are_told() -> None:
    with beam.Pipeline(runner="FnApiRunner") as pipeline:
        outputs = pipeline | beam.Create([("number", 3), ("text", "a"), ("number", 5), ("number", None)])
        assert_that(outputs | "texts" >> Select("text"), equal_to(["a"]), label="one kind")
        numbers = outputs | "numbers" >> Select("number")
        assert_that(numbers, equal_to([3, 5, None]), label="another kind")
        count = numbers | Reduce(lambda values: len(list(values)))
        assert_that(count, equal_to([3]), label="one of all")
        assert_that(count | Broadcast(2), equal_to([(0, BroadcastValue(3)), (1, BroadcastValue(3))]), label="told")


def test_what_a_partition_was_told() -> None:
    assert without_broadcast(iter(["a", BroadcastValue(None), "b"])) == (["a", "b"], None)
    with pytest.raises(ValueError, match="expected one broadcast value, received 0"):
        without_broadcast(["a"])
    with pytest.raises(ValueError, match="received 2"):
        without_broadcast([BroadcastValue(1), BroadcastValue(1)])
