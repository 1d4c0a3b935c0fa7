"""Predicts every row of a table of files: the columns pass through, and one column per output is added.

Two passes over the input. The first reads the model's columns and keeps the predictions in parts, which a killed command
finds again. The second reads the columns that pass through and writes the output.
"""

from __future__ import annotations

import contextlib
import itertools
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from components.columnar.ordered_map import ordered_map
from models.recipe.errors import InputError
from models.recipe.registry import known
from models.serving.inputs import is_retrieval, read_inputs
from pipeline.predicting.formats import ENDINGS, format_of
from pipeline.predicting.model_columns import WrongValueError, check_absent, check_schema
from pipeline.predicting.parts import Parts
from pipeline.predicting.scorer import Scorer
from pipeline.predicting.sink import check_writable, written
from pipeline.predicting.source import Source, open_source
from pipeline.run_lock import alone

BATCH = 8_192
"""Rows of one call of the model."""
PART = 8 * BATCH
"""Rows of a part of the predictions, and of a row group of the output."""
_MANIFEST = 1
"""Changes with the meaning of the parts."""


def predict_table(
    version: Path,
    path: str,
    output: Path | None,
    *,
    columns: Sequence[str] | None = None,
    prefix: str = "",
    absent: Sequence[str] = (),
    say: Callable[[str], object] = lambda _: None,
    part: int = PART,
) -> dict[str, Any]:
    """Predicts the rows of Parquet, CSV or JSON lines files.

    Args:
        version: folder of a SavedModel of a ranker.
        path: file, folder or glob.
        output: file to write, in the format of its ending. None: JSON lines to standard output.
        columns: columns that pass through, in this order. ["*"]: all. None: all, or none from JSON lines to JSON lines.
        prefix: of the names of the added columns.
        absent: columns of the model that the input lacks and that are missing in every row.
        say: called with a message for a person.
        part: rows of a part.

    Returns:
        {"model", "input", "output", "rows_in", "rows_out", "rows_from_parts", "columns"}; rows_from_parts: rows that an
        earlier, killed command had predicted.

    Raises:
        InputError: a file, a column or a value does not fit; nothing is written.
    """
    if is_retrieval(read_inputs(version)):
        raise InputError(f"{version}: expected a ranker, found a retrieval model, which predicts no task.")
    kind = "jsonl" if output is None else format_of(str(output))
    if kind is None:
        raise InputError(
            f"{output}: expected a file that ends in {ENDINGS}, optionally with .gz for CSV and JSON. The ending is the format."
        )
    source = open_source(path)
    scorer = Scorer(version)
    if columns is None and source.kind == kind == "jsonl":
        columns = ()
    passing = _passing(source, columns)
    check_absent(absent, scorer.inputs, source.schema)
    check_schema(source.schema, scorer.inputs, absent, source.files[0])
    schema = _output_schema(source, passing, scorer.outputs, prefix)
    check_writable(schema, kind)
    before = source.fingerprint()
    manifest = {"format": _MANIFEST, "model": _model(version), "input": before, "missing": sorted(absent)}
    with _folder(output) as folder:
        parts = Parts(folder, manifest, part)
        found = parts.predicted
        if found:
            say(f"{found:,} rows are predicted already, by an earlier command.")
        try:
            _predict(source, scorer, parts, part)
        except InputError:  # another input is needed, for which the parts are of no use
            parts.remove()
            raise
        with written(output, kind, schema) as write:
            rows = _write(source, passing, parts, schema, part, write)
            if rows != parts.predicted or source.fingerprint() != before:
                parts.remove()
                raise InputError(
                    f"{path}: changed while it was read: {parts.predicted:,} rows, then {rows:,}. Run the command again."
                )
        parts.remove()
    return {
        "model": str(version),
        "input": path,
        "output": None if output is None else str(output),
        "rows_in": rows,
        "rows_out": rows,
        "rows_from_parts": found,
        "columns": list(schema.names),
    }


def _predict(source: Source, scorer: Scorer, parts: Parts, part: int) -> None:
    """Adds the parts that are not there yet."""
    if parts.complete:
        return
    read = [name for name in scorer.inputs if name in source.schema.names]
    tables = source.tables(read, min(BATCH, part), skip=parts.predicted)
    first = itertools.count(parts.predicted, min(BATCH, part))

    def predict(job: tuple[int, pa.Table]) -> pa.RecordBatch:
        row, table = job
        try:
            return scorer(table)
        except WrongValueError as error:
            raise InputError(
                f"{source.where(row + error.row)}, {error.what}. Nothing is written. Correct or remove the value."
            ) from None

    held: list[pa.RecordBatch] = []
    for batch in ordered_map(predict, zip(first, tables, strict=False)):
        held.append(batch)
        if sum(one.num_rows for one in held) >= part:
            parts.append(pa.Table.from_batches(held))
            held = []
    if held:
        parts.append(pa.Table.from_batches(held))


def _write(
    source: Source,
    passing: Sequence[str],
    parts: Parts,
    schema: pa.Schema,
    part: int,
    write: Callable[[pa.Table], None],
) -> int:
    """Writes the output; returns the number of rows of the input."""
    rows = 0
    tables: Iterator[pa.Table | None] = source.tables(passing, part) if passing else itertools.repeat(None, parts.count)
    for table, predicted in itertools.zip_longest(tables, parts.tables()):
        if predicted is None or (table is not None and table.num_rows != predicted.num_rows):
            return rows + (table.num_rows if table is not None else 0)
        if passing and table is None:
            return rows
        write(pa.table([*([] if table is None else table.columns), *predicted.columns], schema=schema))
        rows += predicted.num_rows
    return rows


def _passing(source: Source, columns: Sequence[str] | None) -> list[str]:
    if columns is None or list(columns) == ["*"]:
        return list(source.schema.names)
    for name in columns:
        if name not in source.schema.names:
            raise InputError(
                f"--columns {name}: {source.files[0]} has no such column; {known(name, source.schema.names)}"
            )
        if list(columns).count(name) > 1:
            raise InputError(f"--columns {name}: the column occurs twice. Keep one.")
    return list(columns)


def _output_schema(source: Source, passing: Sequence[str], outputs: Sequence[str], prefix: str) -> pa.Schema:
    added = [f"{prefix}{name}" for name in outputs]
    clash = [name for name in added if name in passing]
    if clash:
        raise InputError(
            f"{source.files[0]}: has a column {clash[0]!r}, as the predictions do. Give the predictions a prefix, such as "
            f"--prefix predicted_, or choose the columns that pass through with --columns."
        )
    fields = [*(source.schema.field(name) for name in passing), *(pa.field(name, pa.float32()) for name in added)]
    # The metadata of a data frame name its columns.
    whole = list(passing) == list(source.schema.names)
    return pa.schema(fields, metadata=source.schema.metadata if whole else None)


def _model(version: Path) -> list[list[Any]]:
    files = sorted(file for file in version.rglob("*") if file.is_file())
    return [[str(file.resolve()), file.stat().st_size, file.stat().st_mtime_ns] for file in files]


@contextlib.contextmanager
def _folder(output: Path | None) -> Iterator[Path]:
    """Folder of the parts: beside the output, or temporary. One command at a time writes an output."""
    if output is None:
        with tempfile.TemporaryDirectory(prefix="gatewise-") as temporary:
            yield Path(temporary)
        return
    real = output.resolve()
    folder = real.with_name(f".{real.name}.parts")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{output}: cannot be written ({error.strerror}). Choose another file.") from None
    with alone(folder, f"{output}: another gatewise predict writes this file. Wait for it, or choose another file."):
        yield folder
