from __future__ import annotations

import gc
import subprocess
import sys
import weakref
from pathlib import Path

import numpy as np
import pytest

from pipeline.spare_memory import give_back, imports_aside


class Node:
    """Refers to itself, as frameworks' objects do: no count of references ever frees it."""

    def __init__(self) -> None:
        self.itself = self


def resident() -> int:
    """Bytes of this process that are its own and in memory."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    [line] = [line for line in status.splitlines() if line.startswith("RssAnon:")]
    return 1024 * int(line.split()[1])


def test_cycles_are_collected() -> None:
    kept, gone = Node(), weakref.ref(Node())
    give_back()
    assert gone() is None and kept.itself is kept


def test_what_was_there_before_is_left_alone_meanwhile() -> None:
    before = weakref.ref(Node())
    gc.disable()
    try:
        old = Node()
        known = weakref.ref(old)
        with imports_aside():
            assert before() is None
            del old
            new = weakref.ref(Node())
            give_back()
            assert new() is None and known() is not None
        give_back()
        assert known() is None
    finally:
        gc.enable()


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="Linux tells it there")
def test_small_pieces_go_back_to_the_system() -> None:
    """Pieces too small for a mapping of their own stay with the allocator when freed, below one that is in use."""
    size = 256 << 20
    pieces = [np.ones(16_000, np.uint8) for _ in range(size // 16_000)]
    last = np.ones(16_000, np.uint8)
    pieces.clear()
    held = resident()
    give_back()
    assert held - resident() > size // 2
    assert last.sum() == 16_000


ARENAS = """
import ctypes, sys, threading
if sys.argv[1] == "few":
    from pipeline.spare_memory import few_arenas
    few_arenas()
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
together = threading.Barrier(6)

def take():
    together.wait()
    for _ in range(100):
        libc.malloc(10_000)
    together.wait()

threads = [threading.Thread(target=take) for _ in range(6)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
libc.fopen.restype = ctypes.c_void_p
file = ctypes.c_void_p(libc.fopen(b"/dev/stdout", b"w"))
libc.malloc_info(0, file)
libc.fclose(file)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the GNU C library's allocator")
def test_threads_share_the_arenas() -> None:
    def arenas(how: str) -> int:
        done = subprocess.run([sys.executable, "-c", ARENAS, how], capture_output=True, text=True, check=True)
        return done.stdout.count("<heap nr=")

    # numpy's and pyarrow's threads may have had theirs before.
    assert arenas("few") < arenas("as ever")
