"""Output files: Parquet, CSV or JSON lines from Arrow tables, whole or absent."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.csv as pc_csv
import pyarrow.parquet as pq

from components.event_logs.parquet_rows import for_polars
from models.recipe.errors import InputError
from pipeline.predicting.formats import compression_of

Write = Callable[[pa.Table], None]


def check_writable(schema: pa.Schema, kind: str) -> None:
    """Checks that a format has a text for each column's type.

    Args:
        schema: of the output.
        kind: "parquet", "csv" or "jsonl".

    Raises:
        InputError: it has none.
    """
    for field in schema:
        try:
            if kind == "jsonl" and "binary" in str(field.type):
                raise pa.ArrowNotImplementedError("JSON has no bytes")
            row = pa.table([pa.nulls(1, field.type)], pa.schema([pa.field(field.name, field.type)]))
            with _WRITERS[kind](io.BytesIO(), row.schema) as write:
                write(row)
        except (pa.ArrowException, pl.exceptions.PolarsError, pl.exceptions.PanicException):
            raise InputError(
                f"column {field.name!r}: the type {field.type} has no text in {_NAMES[kind]}. Write Parquet, or choose the columns "
                "that pass through with --columns."
            ) from None


@contextlib.contextmanager
def written(output: Path | None, kind: str, schema: pa.Schema) -> Iterator[Write]:
    """A function that appends a table to the output. The file has its name after the block; if the block fails, it is unchanged.

    Args:
        output: file; a link is followed. None: standard output.
        kind: "parquet", "csv" or "jsonl".
        schema: of each table.

    Raises:
        InputError: the file cannot be written.
    """
    if output is None:
        yield lambda table: print(_json_lines(table), end="", file=sys.stdout)
        return
    path = Path(os.path.realpath(output))
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # A gzip file has no time of writing, so the same rows are the same bytes.
        with (
            pa.output_stream(str(temporary), compression=compression_of(path.name)) as stream,
            _WRITERS[kind](stream, schema) as write,
        ):
            yield write
        os.replace(temporary, path)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise InputError(f"{output}: cannot be written ({error.strerror or error}). Choose another file.") from None
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def _parquet(stream: Any, schema: pa.Schema) -> Iterator[Write]:
    with pq.ParquetWriter(stream, schema, compression="zstd") as writer:
        yield lambda table: writer.write_table(table, row_group_size=max(table.num_rows, 1))


@contextlib.contextmanager
def _csv(stream: Any, schema: pa.Schema) -> Iterator[Write]:
    with pc_csv.CSVWriter(stream, _readable(schema.empty_table()).schema) as writer:
        yield lambda table: writer.write_table(_readable(table))


@contextlib.contextmanager
def _jsonl(stream: Any, schema: pa.Schema) -> Iterator[Write]:
    yield lambda table: stream.write(_json_lines(table).encode())


def _json_lines(table: pa.Table) -> str:
    columns = zip(table.column_names, _readable(table).columns, strict=True)
    frame = pl.DataFrame([pl.Series(name, pl.from_arrow(column)) for name, column in columns])
    return frame.write_ndjson() if frame.height else ""


def _readable(table: pa.Table) -> pa.Table:
    """Times with a fixed offset in UTC, and wide decimals as text, which both text formats can write."""
    types = [for_polars(pa.nulls(0, field.type)).type for field in table.schema]
    columns = [
        pa.chunked_array(map(for_polars, column.chunks), kind)
        for column, kind in zip(table.columns, types, strict=True)
    ]
    return pa.table(columns, names=table.column_names)


_WRITERS: dict[str, Any] = {"parquet": _parquet, "csv": _csv, "jsonl": _jsonl}
_NAMES = {"parquet": "Parquet", "csv": "CSV", "jsonl": "JSON lines"}
