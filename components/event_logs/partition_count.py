"""How many partitions: as few as keep one of them, with everything made from it, well below a GiB of memory."""

from __future__ import annotations

from collections.abc import Iterable

from components.event_logs.plan import EventLogsPlan
from components.event_logs.streams import Piece

ROWS_PER_PARTITION = 500_000
BYTES_PER_PARTITION = 192 << 20
MOST = 65_536


def count_of_partitions(plan: EventLogsPlan, found: Iterable[Piece]) -> int:
    """The plan's number; else, with R rows and B bytes in the pieces, max(2, R / 500,000, B / 192 MiB) rounded up.

    The bytes are a guess of what the columns that the stage reads take in memory (`Piece.bytes`). A partition's rows
    lie in mapped files; beside them stand an index of them, and one row group of examples being written. As many
    partitions as there are threads (`threads.OnThreads`) are worked on at once.
    """
    if plan.partitions:
        return plan.partitions
    known = list(found)
    rows, size = sum(piece.rows for piece in known), sum(piece.bytes for piece in known)
    return min(MOST, max(2, -(-rows // ROWS_PER_PARTITION), -(-size // BYTES_PER_PARTITION)))
