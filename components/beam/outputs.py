"""Steps with several kinds of outputs, and values that every partition needs, with transforms that work on every engine.

Beam offers tags for the first and side inputs for the second. Its DaskRunner returns all outputs of a step for any tag, and
passes a side input as a list in a list, recomputed by every task. So an output is a pair (kind, what), and a consumer selects
its kind. A broadcast value is sent to each partition as one of its elements.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import apache_beam as beam

Output = tuple[str, Any]
"""(kind, what)."""


@dataclass(frozen=True)
class BroadcastValue:
    """A value for all partitions."""

    value: Any


class Select(beam.PTransform):
    """(kind, what) -> what, of one kind."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self._kind = kind

    def expand(self, outputs: beam.PCollection) -> beam.PCollection:
        return outputs | beam.FlatMap(_of_kind, self._kind)


class Broadcast(beam.PTransform):
    """The one value of a collection -> (number, BroadcastValue(value)) for all numbers below `count`."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self._count = count

    def expand(self, value: beam.PCollection) -> beam.PCollection:
        return value | beam.FlatMap(_told, self._count)


class Reduce(beam.PTransform):
    """All elements, at least one -> what `function` makes of them, in any order; one element."""

    def __init__(self, function: Callable[[Iterable[Any]], Any]) -> None:
        super().__init__()
        self._function = function

    def expand(self, elements: beam.PCollection) -> beam.PCollection:
        return (
            elements
            | "one key" >> beam.Map(_keyed).with_output_types(tuple[int, Any])
            | "all" >> beam.GroupByKey()
            | "of all" >> beam.Map(_of_all, self._function)
        )


def without_broadcast(values: Iterable[Any]) -> tuple[list[Any], Any]:
    """The values of a partition without the broadcast value, and the broadcast value.

    Raises:
        ValueError: there is not exactly one broadcast value.
    """
    rest: list[Any] = []
    told: list[BroadcastValue] = []
    for value in values:
        (told if isinstance(value, BroadcastValue) else rest).append(value)
    if len(told) != 1:
        raise ValueError(f"expected one broadcast value, received {len(told)}")
    return rest, told[0].value


def _of_kind(output: Output, kind: str) -> Iterator[Any]:
    if output[0] == kind:
        yield output[1]


def _told(value: Any, count: int) -> Iterator[tuple[int, BroadcastValue]]:
    for number in range(count):
        yield number, BroadcastValue(value)


def _keyed(element: Any) -> tuple[int, Any]:
    return 0, element


def _of_all(everything: tuple[int, Iterable[Any]], function: Callable[[Iterable[Any]], Any]) -> Any:
    return function(everything[1])
