"""Merges numbered parts in the order of their numbers. The result is bit-identical on every engine and for every division.

    (key, (number, part)) -> neighbours together, merged -> those of a key together, merged -> (key, whole)

A Beam combiner merges in an order that the engine chooses. Some engines do not merge a worker's parts before they send them, so
one worker would merge all parts one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import apache_beam as beam

NEIGHBOURS = 16
"""Parts that are merged where they come together first; so many of them are in memory at once."""

Part = TypeVar("Part")


class MergeInOrder(beam.PTransform):
    """(key, (number, part)) -> (key, all its parts merged).

    Args:
        merge: parts in their order -> the part that they are together. A part may be the result of a merge.
    """

    def __init__(self, merge: Callable[[Iterable[Any]], Any]) -> None:
        super().__init__()
        self._merge = merge

    def expand(self, numbered: beam.PCollection) -> beam.PCollection:
        return (
            numbered
            | "Neighbours" >> beam.Map(_with_group).with_output_types(tuple[tuple[Any, int], tuple[int, Any]])
            | "SomeTogether" >> beam.GroupByKey()
            | "MergeSome" >> beam.Map(_merge_some, self._merge).with_output_types(tuple[Any, tuple[int, Any]])
            | "AllTogether" >> beam.GroupByKey()
            | "MergeAll" >> beam.Map(_merge_all, self._merge)
        )


def _with_group(numbered: tuple[Any, tuple[int, Part]]) -> tuple[tuple[Any, int], tuple[int, Part]]:
    key, (number, part) = numbered
    return (key, number // NEIGHBOURS), (number, part)


def _merge_some(
    group: tuple[tuple[Any, int], Iterable[tuple[int, Part]]], merge: Callable[[Iterable[Part]], Part]
) -> tuple[Any, tuple[int, Part]]:
    (key, number), parts = group
    return key, (number, merge(_in_order(parts)))


def _merge_all(
    whole: tuple[Any, Iterable[tuple[int, Part]]], merge: Callable[[Iterable[Part]], Part]
) -> tuple[Any, Part]:
    key, parts = whole
    return key, merge(_in_order(parts))


def _in_order(parts: Iterable[tuple[int, Part]]) -> list[Part]:
    return [part for _, part in sorted(parts, key=lambda one: one[0])]
