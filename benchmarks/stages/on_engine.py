"""One of our data stages on one of Beam's engines: python -m benchmarks.stages.on_engine QUESTION.

The question: `engine`, a row of ENGINES; `stage`, `recipe`, `data` and `inputs` as of `benchmarks.stages.ours`; `first`,
`data` and `inputs` of few rows. The engine is started here, and the stage runs once over the few rows before it is timed:
processes and modules are start-up, not work.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from benchmarks.engines import ENGINES
from benchmarks.stages.door import answer
from benchmarks.stages.ours import STAGES
from models.recipe.file import load_recipe

SHUFFLE = Path("examples", "shuffle")
PARTITIONS = ("beam.partitions=16",)
"""Enough for several workers, however few the rows."""


class Largest:
    """The largest size of a folder's files in bytes, seen twenty times a second while the block runs."""

    def __init__(self, folder: Path) -> None:
        self.bytes = 0
        self._folder, self._done = folder, threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Largest:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._done.wait(0.05):
            try:
                self.bytes = max(self.bytes, sum(file.stat().st_size for file in self._folder.glob("*.arrow")))
            except FileNotFoundError:
                continue


def run(question: Mapping[str, Any]) -> dict[str, Any]:
    """Seconds and rows of the stage, `digest` of what it wrote, and `shuffled`, the bytes in the files of its shuffle."""
    out, stage = Path(question["out"]), STAGES[question["stage"]]
    with ENGINES[question["engine"]](out / "engine") as beam:
        for name, given in (("first", question["first"]), ("timed", question)):
            recipe = load_recipe(question["recipe"], [*PARTITIONS, *beam], given["data"])
            with Largest(out / name / SHUFFLE) as largest:
                done = stage(recipe, Path(given["inputs"]), out / name)
    return {**done, "digest": digest(out / "timed"), "shuffled": largest.bytes}


def digest(folder: Path) -> str:
    """Of the names and bytes of all files but the graph's, whose functions TensorFlow names anew each time."""
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if path.is_file() and "transform_fn" not in name.parts:
            found.update(str(name).encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()


if __name__ == "__main__":
    answer(run)
