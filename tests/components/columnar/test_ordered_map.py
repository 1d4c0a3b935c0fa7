"""Results in the order of the items, with a bounded number under way."""

import threading
from collections.abc import Iterator

import pytest

from components.columnar.ordered_map import ordered_map


@pytest.mark.parametrize("threads", [1, 2, 3, None])
def test_the_order_is_that_of_the_items_whichever_is_done_first(threads: int | None) -> None:
    second = threading.Event()

    def slow_first(item: int) -> int:
        if item == 0 and threads != 1:
            # With several threads the first waits until another is done.
            second.wait(0.2)
        second.set()
        return item * item

    assert list(ordered_map(slow_first, range(20), threads)) == [item * item for item in range(20)]
    assert list(ordered_map(slow_first, [], threads)) == []


def test_items_are_taken_as_they_are_needed() -> None:
    taken = []

    def items() -> Iterator[int]:
        for item in range(100):
            taken.append(item)
            yield item

    results = ordered_map(lambda item: item, items(), 2)
    assert [next(results), next(results)] == [0, 1]
    assert len(taken) == 4


def test_an_error_comes_at_its_place() -> None:
    def fails(item: int) -> int:
        if item == 2:
            raise ValueError("the third")
        return item

    results = ordered_map(fails, range(9), 2)
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(ValueError, match="the third"):
        next(results)
