"""Elements of a bundle on several threads: at the same time, outputs in their order, errors as they are."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.pvalue import TaggedOutput
from apache_beam.testing.util import assert_that, equal_to

from components.event_logs.threads import OnThreads
from models.errors import InputError


class Tenfold(OnThreads):
    """Ten times each value, and the side input; the earlier element takes longer."""

    def work(self, number: int, values: list[int], side: Any) -> Iterator[Any]:
        time.sleep(0.02 * (3 - number))
        yield from (10 * value for value in values)
        yield TaggedOutput("side", (number, side))


class Meeting(OnThreads):
    """Each element waits for another one."""

    barrier = threading.Barrier(2, timeout=30)

    def work(self, number: int, values: list[int], side: Any) -> Iterator[int]:
        yield Meeting.barrier.wait()


class Refusing(OnThreads):
    def work(self, number: int, values: list[int], side: Any) -> Iterator[int]:
        if number:
            raise InputError(f"element {number} is not what it should be")
        yield number


def test_outputs_in_order_with_tags_and_side_input() -> None:
    step = Tenfold()
    for _ in range(2):  # a bundle leaves nothing for the next one
        step.start_bundle()
        assert [list(step.process((number, iter([number, 5])), "x")) for number in range(3)] == [[], [], []]
        found = [
            output.value.value if isinstance(output, TaggedOutput) else output.value for output in step.finish_bundle()
        ]
        assert found == [0, 50, (0, "x"), 10, 50, (1, "x"), 20, 50, (2, "x")]


def test_in_a_pipeline() -> None:
    with beam.Pipeline(runner="FnApiRunner") as pipeline:
        elements = pipeline | beam.Create([(number, [number]) for number in range(3)])
        found = elements | beam.ParDo(Tenfold()).with_outputs("side", main="values")
        assert_that(found.values, equal_to([0, 10, 20]), label="values")
        assert_that(found.side, equal_to([(0, None), (1, None), (2, None)]), label="side")


def test_two_elements_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda process: {0, 1})
    step = Meeting()
    step.start_bundle()
    for number in range(4):
        step.process((number, []))
    assert sorted(output.value for output in step.finish_bundle()) == [0, 0, 1, 1]


def test_the_first_error_ends_the_step() -> None:
    with (
        pytest.raises(InputError, match="element 1 is not what it should be"),
        beam.Pipeline(runner="FnApiRunner") as p,
    ):
        _ = p | beam.Create([(number, [0]) for number in range(9)]) | beam.ParDo(Refusing())
