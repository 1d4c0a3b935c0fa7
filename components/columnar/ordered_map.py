"""Applies a function to a stream of items on several threads. The results are in the order of the items.

For functions that spend their time in Arrow, NumPy or TensorFlow, which release Python's lock.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

# More gains little: the libraries have threads of their own, and each thread holds an item and its result in memory.
_MOST_THREADS = 4


def ordered_map(
    function: Callable[[Item], Result], items: Iterable[Item], threads: int | None = None
) -> Iterator[Result]:
    """The function's results, in the order of the items, whichever thread is done first.

    Items are taken one after the other, by the caller's thread; at most `threads + 1` of them, or their results, are
    waiting or under way, so memory does not grow with the stream.

    Args:
        function: must not depend on the order of its calls.
        items: may be read from a file as they are needed.
        threads: as many as there are processors for this process, at most 4, if None.

    Raises:
        Whatever the function or the items raise, at the item's place.
    """
    threads = threads or min(len(os.sched_getaffinity(0)), _MOST_THREADS)
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[Result]] = deque()
        try:
            for item in items:
                waiting.append(pool.submit(function, item))
                if len(waiting) > threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
