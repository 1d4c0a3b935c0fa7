"""Makes SIGTERM (sent by a cluster, systemd or `kill`) end a command as Ctrl-C does, with its child processes and temporary folders."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

TERMINATED = 128 + signal.SIGTERM
STOPPED = "stopped. Run the command again to resume from the last finished stage"


class Termination:
    """Whether the process has received SIGTERM."""

    came = False


@contextlib.contextmanager
def sigterm_interrupts() -> Iterator[Termination]:
    """In this context, SIGTERM raises KeyboardInterrupt. A second SIGTERM ends the process at once."""
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
