"""A Dask preload: a worker kills itself with -9 in the middle of a step, once for each file armed-<point> in $DYING.

piece: one file of a piece's rows stands, the others do not. labels: the references to a partition's labels are not told
yet. row_group: a file of examples is half written. column: a column of the statistics is read, others are not.
transformed: a file of transformed examples is written and has not its name yet.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

POINTS = ("piece", "labels", "row_group", "column", "transformed")


def die(point: str) -> None:
    armed = Path(os.environ["DYING"], f"armed-{point}")
    try:
        armed.rename(armed.with_name(f"died-{point}"))
    except FileNotFoundError:
        return
    os.kill(os.getpid(), signal.SIGKILL)


def dask_setup(worker: Any) -> None:
    # Modules without TensorFlow, before those that import from them: a worker starts again each time.
    from components.event_logs import shuffle, writing
    from components.statistics import reading
    from components.storage.writing import WholeFile

    close, to_lists = shuffle._File.close, writing.to_lists
    read_column, finish = reading.read_column, WholeFile.finish

    def close_and_die(self: Any, whole: bool) -> None:
        close(self, whole)
        if "piece-" in self.path:
            die("piece")
        if "labels-" in self.path:
            die("labels")

    def die_in_row_group(*arguments: Any) -> Any:
        die("row_group")
        return to_lists(*arguments)

    def read_column_and_die(*arguments: Any) -> Any:
        yield from read_column(*arguments)
        die("column")

    def die_and_finish(self: Any) -> None:
        if "transformed_examples" in self.path and self.path.endswith(".arrow"):
            die("transformed")
        finish(self)

    shuffle._File.close, writing.to_lists = close_and_die, die_in_row_group
    reading.read_column = read_column_and_die
    WholeFile.finish = die_and_finish
