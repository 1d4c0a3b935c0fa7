"""SIGTERM, which a cluster, systemd or `kill` sends, ends a command as Ctrl-C does: children and temporary folders go first."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

TERMINATED = 128 + signal.SIGTERM
STOPPED = "stopped; the same command goes on from the last finished stage"


class Termination:
    """Whether SIGTERM has come."""

    came = False


@contextlib.contextmanager
def sigterm_interrupts() -> Iterator[Termination]:
    """A block that SIGTERM interrupts with a KeyboardInterrupt. A second one ends the process at once, as without this."""
    found = Termination()

    def handle(number: int, frame: FrameType | None) -> None:
        found.came = True
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():  # only the main thread may set handlers
        yield found
        return
    before = signal.signal(signal.SIGTERM, handle)
    try:
        yield found
    finally:
        signal.signal(signal.SIGTERM, before)
