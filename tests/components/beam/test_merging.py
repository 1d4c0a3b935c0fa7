"""Parts are merged in the order of their numbers, in whatever order they come."""

from __future__ import annotations

import random
from collections.abc import Iterable

import apache_beam as beam
from apache_beam.testing.util import assert_that, equal_to

from components.beam.merging import NEIGHBOURS, MergeInOrder


def joined(texts: Iterable[str]) -> str:
    return f"({''.join(texts)})"


def test_neighbours_first_then_all_in_order_key_by_key() -> None:
    count = 2 * NEIGHBOURS + 1
    letters = [chr(ord("a") + number) for number in range(count)]
    parts = [(key, (number, letter)) for key in ("train", "eval") for number, letter in enumerate(letters)]
    random.Random(5).shuffle(parts)
    parts.append(("few", (0, "x")))
    whole = "(({})({})({}))".format(
        *("".join(letters[start : start + NEIGHBOURS]) for start in range(0, count, NEIGHBOURS))
    )
    with beam.Pipeline(runner="FnApiRunner") as pipeline:
        merged = pipeline | beam.Create(parts) | MergeInOrder(joined)
        assert_that(merged, equal_to([("train", whole), ("eval", whole), ("few", "((x))")]))
