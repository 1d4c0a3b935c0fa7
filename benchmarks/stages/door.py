"""Entry point of every subject: reads the question, prints the answer, and times the work."""

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
    """Reads the question from the command line, and prints the answer of `work` as the last line.

    The output of libraries goes to standard error.
    """
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    question = json.loads(sys.argv[1])
    with contextlib.redirect_stdout(sys.stderr):
        found = work(question)
    print(json.dumps(found))


@contextlib.contextmanager
def clock() -> Iterator[list[float]]:
    """A list that, after the block, has its seconds and the CPU seconds of all threads of this process.

    CPU seconds distinguish work from waiting if other processes run on the machine.
    """
    seconds: list[float] = []
    began, used = time.perf_counter(), time.process_time()
    yield seconds
    seconds += [time.perf_counter() - began, time.process_time() - used]
