"""Several numbers of an element on threads: at the same time, outputs in their order, errors as they are."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.testing.util import assert_that, equal_to

from components.beam.threads import TOGETHER, OnThreads, Together, together
from models.recipe.errors import InputError


class Tenfold(OnThreads):
    """Ten times each value, and the number; the earlier number takes longer."""

    def work(self, number: int, values: list[int]) -> Iterator[Any]:
        time.sleep(0.02 * (3 - number))
        yield from (10 * value for value in values)
        yield "number", number


class Twice(OnThreads):
    def work(self, number: int, values: list[int]) -> Iterator[Any]:
        yield number, values


class Meeting(OnThreads):
    """Each number waits for another one."""

    barrier = threading.Barrier(2, timeout=30)

    def work(self, number: int, values: list[int]) -> Iterator[int]:
        yield Meeting.barrier.wait()


class Refusing(OnThreads):
    def work(self, number: int, values: list[int]) -> Iterator[int]:
        if number:
            raise InputError(f"number {number} is not what it should be")
        yield number


def test_outputs_in_the_order_of_the_numbers() -> None:
    values = [(2, 0), (0, 0), (1, 0), (2, 5), (0, 5), (1, 5)]
    found = list(Tenfold().process((0, iter(values))))
    assert found == [0, 50, ("number", 0), 0, 50, ("number", 1), 0, 50, ("number", 2)]


def test_groups_of_what_is_known_beforehand() -> None:
    assert together(enumerate("abcde")) == [(0, [(0, "a"), (1, "b"), (2, "c"), (3, "d")]), (1, [(4, "e")])]


def test_in_a_pipeline_of_several_groups() -> None:
    numbers = range(2 * TOGETHER + 1)
    with beam.Pipeline(runner="FnApiRunner") as pipeline:
        numbered = pipeline | beam.Create([(number, number) for number in numbers for _ in range(2)])
        groups = numbered | Together()
        found = groups | beam.ParDo(Twice())
        assert_that(groups | beam.Map(lambda group: group[0]), equal_to([0, 1, 2]), label="groups")
        assert_that(found, equal_to([(number, [number] * 2) for number in numbers]), label="values")


def test_two_numbers_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda process: {0, 1})
    assert sorted(Meeting().process((0, [(number, 0) for number in range(4)]))) == [0, 0, 1, 1]


def test_the_first_error_ends_the_step() -> None:
    with (
        pytest.raises(InputError, match="number 1 is not what it should be"),
        beam.Pipeline(runner="FnApiRunner") as p,
    ):
        _ = p | beam.Create([(number, 0) for number in range(9)]) | Together() | beam.ParDo(Refusing())
