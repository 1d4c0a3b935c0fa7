"""A Beam step that processes several numbered elements in parallel, because a local runner passes elements one by one.

    (number, value) -> Together -> (group, [(number, value), ...]) -> OnThreads -> outputs

Adjacent numbers are sent in one element, and the step processes its parts in parallel. Nothing is emitted at the end of a
bundle, because some runners lose such outputs.
"""

from __future__ import annotations

import abc
from collections.abc import Iterable, Iterator
from typing import Any

import apache_beam as beam

from components.columnar.ordered_map import ordered_map

TOGETHER = 4
"""Numbers of a group. Each that is worked on has its partition or block in memory."""


class Together(beam.PTransform):
    """(number, value) -> (group, all (number, value) of TOGETHER neighbouring numbers)."""

    def expand(self, numbered: beam.PCollection) -> beam.PCollection:
        grouped = beam.Map(_with_group).with_output_types(tuple[int, tuple[int, Any]])
        return numbered | "group" >> grouped | "together" >> beam.GroupByKey()


class OnThreads(beam.DoFn, abc.ABC):
    """The group of a `Together` -> what `work` makes of each of its numbers, on as many threads as there are processors.

    For work that spends its time in Arrow, polars and NumPy, which let other threads run meanwhile. The outputs come in the
    order of the numbers, whichever thread was done first; those of a number wait together, so they should be small.
    """

    @abc.abstractmethod
    def work(self, number: int, values: list[Any]) -> Iterator[Any]:
        """The outputs for one number: must not depend on other calls, which run at the same time.

        Args:
            number, values: all values of the number, in any order.
        """

    def process(self, element: tuple[int, Iterable[tuple[int, Any]]]) -> Iterator[Any]:
        """The outputs for the numbers of a group.

        Raises:
            Whatever `work` raised, of the first number for which it did.
        """
        members: dict[int, list[Any]] = {}
        for number, value in element[1]:
            members.setdefault(number, []).append(value)
        for outputs in ordered_map(lambda one: list(self.work(*one)), sorted(members.items())):
            yield from outputs


def together(numbered: Iterable[tuple[int, Any]]) -> list[tuple[int, list[tuple[int, Any]]]]:
    """What `Together` makes of things that are known before the pipeline runs."""
    groups: dict[int, list[tuple[int, Any]]] = {}
    for number, value in numbered:
        groups.setdefault(number // TOGETHER, []).append((number, value))
    return list(groups.items())


def _with_group(numbered: tuple[int, Any]) -> tuple[int, tuple[int, Any]]:
    return numbered[0] // TOGETHER, numbered
