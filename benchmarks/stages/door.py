"""The door of every subject: question in, answer out, and the clock around the work alone."""

from __future__ import annotations

import contextlib
import json
import logging
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any


def answer(work: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Reads the question from the command line, and prints what `work` answers as the last line.

    What the libraries print goes to standard error.
    """
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    question = json.loads(sys.argv[1])
    with contextlib.redirect_stdout(sys.stderr):
        found = work(question)
    print(json.dumps(found))


@contextlib.contextmanager
def clock() -> Iterator[list[float]]:
    """A list that holds, when the block has ended, its seconds, and the CPU seconds of all threads of this process.

    The latter tell work from waiting where something else runs on the machine.
    """
    seconds: list[float] = []
    began, used = time.perf_counter(), time.process_time()
    yield seconds
    seconds += [time.perf_counter() - began, time.process_time() - used]
