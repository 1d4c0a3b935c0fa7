"""Rows of JSON lines files as Arrow batches, by blocks of whole lines."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence

import polars as pl
import pyarrow as pa

from models.recipe.errors import InputError
from pipeline.json_values import json_object
from pipeline.predicting.formats import compression_of

BLOCK = 16 << 20
"""Bytes of a block. A longer line makes a longer block."""

_OLDEST = pl.CompatLevel.oldest()


def schema_of(files: Sequence[str]) -> pa.Schema:
    """The columns of all lines, in the order of their first occurrence, each with the type that holds all of its values.

    Raises:
        InputError: a file cannot be read, or a line is not a JSON object.
    """
    frames: list[pl.DataFrame] = []
    for file in files:
        for first, block in _blocks(file):
            frames.append(_parsed(file, first, block, None).clear())
            frames = [pl.concat(frames, how="diagonal_relaxed")]
    return frames[0].to_arrow(compat_level=_OLDEST).schema if frames else pa.schema([])


def rows_of(
    file: str, schema: pa.Schema, columns: list[str], skip: int, passed: Callable[[int], None]
) -> Iterator[pa.RecordBatch]:
    """The rows after the first `skip` ones. Arguments and errors: as `parquet_files.rows_of`."""
    types = dict(pl.DataFrame(pl.from_arrow(schema.empty_table())).schema)
    for first, block in _blocks(file):
        frame = _parsed(file, first, block, types)
        passed(frame.height)
        dropped = min(skip, frame.height)
        skip -= dropped
        if dropped < frame.height:
            yield from frame.select(columns).slice(dropped).to_arrow(compat_level=_OLDEST).to_batches()


def _blocks(file: str) -> Iterator[tuple[int, bytes]]:
    """(number of the first line, whole lines) of each block that has more than white space."""
    line, rest = 1, b""
    try:
        with pa.input_stream(file, compression=compression_of(file)) as stream:
            while True:
                piece = stream.read(BLOCK)
                text, end, rest = (rest + piece).rpartition(b"\n") if piece else (rest, b"", b"")
                text += end
                if line == 1:
                    text = text.removeprefix(b"\xef\xbb\xbf")
                if text.strip():
                    yield line, text
                line += text.count(b"\n")
                if not piece:
                    return
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"cannot read {file}: {str(error).splitlines()[0]}") from None


def _parsed(file: str, first: int, block: bytes, types: dict[str, pl.DataType] | None) -> pl.DataFrame:
    try:
        return pl.read_ndjson(io.BytesIO(block), schema=types, infer_schema_length=None)
    except pl.exceptions.PolarsError as error:
        for number, line in enumerate(block.split(b"\n"), start=first):
            if line.strip():
                try:
                    json_object(line.decode("utf-8"), f"{file}:{number}")
                except UnicodeDecodeError:
                    raise InputError(f"{file}:{number}: expected UTF-8, received other bytes.") from None
        raise InputError(f"{file}: cannot be read as JSON lines: {str(error).splitlines()[0]}") from None
