"""Formats of the input and output files, by the ending of the name."""

from __future__ import annotations

import os

from components.event_logs.files import FORMATS

ENDINGS = ", ".join(FORMATS)

COMPRESSED = {".gz": "gzip"}
"""{ending of a compressed text file: Arrow's name of the compression}."""


def format_of(file: str) -> str | None:
    """ "parquet", "csv" or "jsonl"; None if the ending is unknown. A compressed Parquet file is unknown."""
    name, ending = os.path.splitext(file.lower())
    if ending in COMPRESSED:
        inner = FORMATS.get(os.path.splitext(name)[1])
        return None if inner == "parquet" else inner
    return FORMATS.get(ending)


def compression_of(file: str) -> str | None:
    """Arrow's name of the compression of a text file, or None."""
    return COMPRESSED.get(os.path.splitext(file.lower())[1])
