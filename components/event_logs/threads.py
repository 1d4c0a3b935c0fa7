"""A Beam step that works on several elements of a bundle at once: a runner on one machine hands them over one by one."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import TaggedOutput
from apache_beam.transforms.window import GlobalWindows

# Each has its partition or block in memory.
MOST_THREADS = 4


class OnThreads(beam.DoFn):
    """(number, values) -> what `work` makes of it, on as many threads as there are processors, at most `MOST_THREADS`.

    For work that spends its time in Arrow, polars and NumPy, which let other threads run meanwhile. Outputs come when the
    bundle ends, in the order of its elements, whichever thread was done first; so they should be small.
    """

    _pool: ThreadPoolExecutor
    _waiting: list[Future[list[Any]]]

    def work(self, number: int, values: list[Any], side: Any) -> Iterator[Any]:
        """The outputs for one element: must not depend on other calls, which run at the same time.

        Args:
            number, values: the element.
            side: the step's side input, None if it has none.
        """
        raise NotImplementedError

    def start_bundle(self) -> None:
        """Starts the threads."""
        self._pool = ThreadPoolExecutor(min(len(os.sched_getaffinity(0)), MOST_THREADS))
        self._waiting = []

    def process(self, element: tuple[int, Iterable[Any]], side: Any = None) -> Iterable[Any]:
        """Hands the element to a thread."""
        number, values = element
        held = list(values)  # a runner may read them only as they are asked for, and only here
        self._waiting.append(self._pool.submit(lambda: list(self.work(number, held, side))))
        return ()

    def finish_bundle(self) -> Iterator[Any]:
        """All outputs.

        Raises:
            Whatever `work` raised, of the first element for which it did.
        """
        try:
            for done in self._waiting:
                yield from map(_in_global_window, done.result())
        finally:
            self._pool.shutdown(cancel_futures=True)


def _in_global_window(output: Any) -> Any:
    if isinstance(output, TaggedOutput):
        return TaggedOutput(output.tag, GlobalWindows.windowed_value(output.value))
    return GlobalWindows.windowed_value(output)
