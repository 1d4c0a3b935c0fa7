from __future__ import annotations

import apache_beam as beam
import pytest
from apache_beam.testing.util import assert_that, equal_to

from components.event_logs.outputs import OfAll, Only, Tell, Told, told_apart


def test_kinds_apart_one_of_all_and_all_are_told() -> None:
    with beam.Pipeline(runner="FnApiRunner") as pipeline:
        outputs = pipeline | beam.Create([("number", 3), ("text", "a"), ("number", 5), ("number", None)])
        assert_that(outputs | "texts" >> Only("text"), equal_to(["a"]), label="one kind")
        numbers = outputs | "numbers" >> Only("number")
        assert_that(numbers, equal_to([3, 5, None]), label="another kind")
        count = numbers | OfAll(lambda values: len(list(values)))
        assert_that(count, equal_to([3]), label="one of all")
        assert_that(count | Tell(2), equal_to([(0, Told(3)), (1, Told(3))]), label="told")


def test_what_a_partition_was_told() -> None:
    assert told_apart(iter(["a", Told(None), "b"])) == (["a", "b"], None)
    with pytest.raises(ValueError, match="expected one value that the partition is told, received 0"):
        told_apart(["a"])
    with pytest.raises(ValueError, match="received 2"):
        told_apart([Told(1), Told(1)])
