"""A process that ends with the one that started it, however that ends."""

from __future__ import annotations

import ctypes
import os
import signal

_PR_SET_PDEATHSIG = 1
"""Of Linux' prctl: the signal that the system sends when the parent has ended."""


def end_with(parent: int) -> None:
    """Has the system kill this process when its parent ends; a parent that is killed cannot do it.

    Args:
        parent: its process id. If it has ended already, this process ends now.
    """
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)
