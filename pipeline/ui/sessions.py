"""Loads playgrounds in a thread of its own, and keeps the last ones."""

from __future__ import annotations

import collections
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from models.recipe.errors import InputError
from pipeline.ui.pushed import Pushed, pushed_version

if TYPE_CHECKING:
    from pipeline.ui.playground import Playground

KEPT = 2
"""Number of loaded versions in memory."""

IMPORTING = threading.Lock()
"""Held while a thread imports TensorFlow or ML Metadata: two threads that import the same packages can deadlock."""

_Result = TypeVar("_Result")


class Sessions:
    """The playgrounds of a root. One thread loads and calls all models."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._thread = ThreadPoolExecutor(1, "models")
        self._loading: collections.OrderedDict[tuple[str, int], tuple[Pushed, float, Future[Playground]]] = (
            collections.OrderedDict()
        )

    def state(self, model: str | None, version: int | None) -> dict[str, Any]:
        """Starts to load a version if it is not loaded. Returns at once.

        Returns:
            {"state": "loading", "model", "version", "seconds": since the start}, {"state": "ready", "about": see `Playground`} or
            {"state": "failed", "message"}.

        Raises:
            InputError: there is no such version.
        """
        pushed, started, future = self._started(model, version)
        named = {"model": pushed.model, "version": pushed.version}
        if not future.done():
            return {"state": "loading", **named, "seconds": round(time.monotonic() - started, 1)}
        error = future.exception()
        if error is not None:
            self._loading.pop((pushed.model, pushed.version), None)  # the next request tries again
            message = str(error) if isinstance(error, InputError) else f"{type(error).__name__}: {error}"
            return {"state": "failed", **named, "message": message}
        return {"state": "ready", **named, "about": future.result().about()}

    def submit(self, model: str, version: int, ask: Callable[[Playground], _Result]) -> Future[_Result]:
        """Calls `ask` with a playground in the thread of the models, after it is loaded.

        Raises:
            InputError: there is no such version.
        """
        _, _, loaded = self._started(model, version)
        return self._thread.submit(lambda: ask(loaded.result()))

    def close(self) -> None:
        """Ends the thread after its current call."""
        self._thread.shutdown(wait=True, cancel_futures=True)

    def _started(self, model: str | None, version: int | None) -> tuple[Pushed, float, Future[Playground]]:
        key = (model or "", version or 0)
        if key not in self._loading:
            pushed = pushed_version(self._root, model, version)
            key = (pushed.model, pushed.version)
            if key not in self._loading:
                self._loading[key] = (pushed, time.monotonic(), self._thread.submit(_load, pushed))
                while len(self._loading) > KEPT:
                    self._loading.popitem(last=False)
        self._loading.move_to_end(key)
        return self._loading[key]


def _load(pushed: Pushed) -> Playground:
    with IMPORTING:
        from pipeline.ui.playground import Playground

        if pushed.run is not None:
            import pipeline.lineage  # noqa: F401
    return Playground(pushed)
