"""Input files as a stream of Arrow tables of equal size: Parquet, CSV or JSON lines; one file, a folder or a glob.

A column of a CSV file is text, and an empty value without quotes is null. A column of JSON lines has the type that holds all
of its values, which takes one more pass over the files.
"""

from __future__ import annotations

import bisect
import dataclasses
import glob
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pc_csv

from models.recipe.errors import InputError
from pipeline.predicting import json_files, parquet_files
from pipeline.predicting.formats import ENDINGS, compression_of, format_of

Pieces = Callable[[str, Sequence[str], int, Callable[[int], None]], Iterator[pa.RecordBatch]]
"""(file, columns, rows to skip, function that receives the rows read or skipped) -> the rows after them."""


@dataclasses.dataclass
class Source:
    """The files of one format, which have the same columns.

    Attributes:
        files: in the order of their rows.
        schema: of all files.
        kind: "parquet", "csv" or "jsonl".
    """

    files: tuple[str, ...]
    schema: pa.Schema
    kind: str
    _ends: list[int] = dataclasses.field(default_factory=list)

    def tables(self, columns: Sequence[str], rows: int, skip: int = 0) -> Iterator[pa.Table]:
        """The rows after the first `skip` ones, in order, in tables of `rows` rows; the last one may have fewer.

        Raises:
            InputError: a file cannot be read.
        """
        wanted = pa.schema([self.schema.field(name) for name in columns])
        yield from evenly(self._pieces(list(columns), skip), wanted, rows)

    def where(self, row: int) -> str:
        """The file of a row that has been read, and its number in this file, from 1.

        Args:
            row: number of the row in all files, from 0.
        """
        file = bisect.bisect_right(self._ends, row)
        before = self._ends[file - 1] if file else 0
        return f"{self.files[min(file, len(self.files) - 1)]}, row {row - before + 1:,}"

    def fingerprint(self) -> list[list[Any]]:
        """[path, bytes, modification time in ns] of each file."""
        found = [(os.path.abspath(file), os.stat(file)) for file in self.files]
        return [[file, about.st_size, about.st_mtime_ns] for file, about in found]

    def _pieces(self, columns: list[str], skip: int) -> Iterator[pa.RecordBatch]:
        self._ends = []
        for file in self.files:
            before = self._ends[-1] if self._ends else 0
            self._ends.append(before)

            def passed(rows: int) -> None:
                self._ends[-1] += rows

            yield from _READERS[self.kind](file, self.schema, columns, max(0, skip - before), passed)


def open_source(path: str) -> Source:
    """Finds the files, and reads their columns.

    Args:
        path: a file, a folder (its files of a known ending, at any depth), or a glob.

    Raises:
        InputError: no file, an unknown ending, several formats, different columns, or a file that cannot be read.
    """
    files = _files(path)
    kinds = {file: format_of(file) for file in files}
    unknown = [file for file, kind in kinds.items() if kind is None]
    if unknown:
        raise InputError(f"{unknown[0]}: expected a file that ends in {ENDINGS}, optionally with .gz for CSV and JSON.")
    if len(set(kinds.values())) > 1:
        one, other = (next(file for file in files if kinds[file] == kind) for kind in sorted(set(kinds.values()))[:2])  # type: ignore[type-var]
        raise InputError(f"{path}: expected files of one format, found {one} and {other}. Choose with a glob.")
    kind = str(kinds[files[0]])
    schema = json_files.schema_of(files) if kind == "jsonl" else _common({file: _SCHEMAS[kind](file) for file in files})
    twice = sorted({name for name in schema.names if schema.names.count(name) > 1})
    if twice:
        raise InputError(f"{files[0]}: two columns have the name {twice[0]!r}. Give each column a unique name.")
    return Source(tuple(files), schema, kind)


def evenly(pieces: Iterable[pa.RecordBatch], schema: pa.Schema, rows: int) -> Iterator[pa.Table]:
    """The same rows in tables of `rows` rows; the last one may have fewer. Holds at most one table and one piece."""
    held: list[pa.RecordBatch] = []
    count = 0
    for piece in pieces:
        held.append(piece)
        count += piece.num_rows
        if count < rows:
            continue
        table = pa.Table.from_batches(held).cast(schema)
        for start in range(0, count - rows + 1, rows):
            yield table.slice(start, rows)
        rest = table.slice(count - count % rows)
        held, count = rest.to_batches(), rest.num_rows
    if count:
        yield pa.Table.from_batches(held).cast(schema)


def _files(path: str) -> list[str]:
    if os.path.isdir(path):
        every = (file for file in Path(path).rglob("*") if file.is_file())
        parts = [file.relative_to(path).parts for file in every]
        files = [os.path.join(path, *part) for part in sorted(parts) if not any(name[0] in "._" for name in part)]
        files = [file for file in files if format_of(file) is not None]
    else:
        files = [path] if os.path.exists(path) else sorted(glob.glob(path, recursive=True))
    if not files:
        raise InputError(f"{path}: no such file; expected a file, a folder or a glob of files that end in {ENDINGS}.")
    return files


def _common(schemas: dict[str, pa.Schema]) -> pa.Schema:
    (first, schema), *others = schemas.items()
    for file, other in others:
        if other.names != schema.names:
            odd = sorted(set(other.names) ^ set(schema.names)) or ["their order"]
            raise InputError(
                f"{file}: expected the columns of {first}, the first file; they differ in {', '.join(odd)}. "
                "Predict the files one by one."
            )
        for field, mine in zip(schema, other, strict=True):
            if field.type != mine.type:
                raise InputError(
                    f"{file}, column {field.name!r}: expected {field.type} as in {first}, received {mine.type}. "
                    "Predict the files one by one."
                )
    return schema


def _csv_schema(file: str) -> pa.Schema:
    with _csv(file, None) as reader:
        return pa.schema([(name, pa.string()) for name in reader.schema.names])


def _csv_rows(
    file: str, schema: pa.Schema, columns: list[str], skip: int, passed: Callable[[int], None]
) -> Iterator[pa.RecordBatch]:
    with _csv(file, schema) as reader:
        try:
            for batch in reader:
                passed(batch.num_rows)
                dropped = min(skip, batch.num_rows)
                skip -= dropped
                if dropped < batch.num_rows:
                    yield batch.select(columns).slice(dropped)
        except pa.ArrowException as error:
            raise InputError(f"cannot read {file} as CSV: {str(error).splitlines()[0]}") from None


def _csv(file: str, schema: pa.Schema | None) -> Any:
    types = None if schema is None else dict.fromkeys(schema.names, pa.string())
    convert = pc_csv.ConvertOptions(
        column_types=types, null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=False
    )
    try:
        return pc_csv.open_csv(
            pa.input_stream(file, compression=compression_of(file)),
            read_options=pc_csv.ReadOptions(block_size=_BLOCK),
            parse_options=pc_csv.ParseOptions(newlines_in_values=True),
            convert_options=convert,
        )
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"cannot read {file} as CSV: {str(error).splitlines()[0]}") from None


_BLOCK = 8 << 20
_SCHEMAS: dict[str, Callable[[str], pa.Schema]] = {"parquet": parquet_files.schema_of, "csv": _csv_schema}
_READERS: dict[str, Any] = {"parquet": parquet_files.rows_of, "csv": _csv_rows, "jsonl": json_files.rows_of}
