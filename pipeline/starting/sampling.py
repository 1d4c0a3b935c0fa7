"""Sampled rows of a source. Texts become numbers or truth values if their values are."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from collections.abc import Iterator

import polars as pl
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from components.storage.reading import open_stream
from models.recipe.errors import InputError
from pipeline.starting.sources import Source

MOST_ROWS = 200_000
"""Maximum number of rows of a source that are looked at."""
_HEAD = 20_000
_BLOCK = 50_000
_DELIMITERS = ",;\t|"
_NULLS = ["", "NULL", "null", "NA", "N/A", "NaN", "nan", "\\N", "None"]
_MOSTLY = 0.98


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sample:
    """Rows of a source.

    Attributes:
        source: the source.
        frame: the rows, in the order of the files.
        total: rows in all files.
        every: one of `every` users (or rows, without a user) is in the sample.
        delimiter: of CSV files.
        nulls: texts that mean a missing value, apart from the empty text.
    """

    source: Source
    frame: pl.DataFrame
    total: int
    every: int = 1
    delimiter: str = ","
    nulls: tuple[str, ...] = ()


def head(source: Source) -> Sample:
    """The first rows, from which the columns are known.

    Raises:
        InputError: a file cannot be read.
    """
    delimiter = _delimiter(source)
    rows: list[pl.DataFrame] = []
    for block in _blocks(source, delimiter):
        rows.append(block)
        if sum(part.height for part in rows) >= _HEAD:
            break
    frame = pl.concat(rows, how="diagonal_relaxed") if rows else pl.DataFrame()
    return _typed(Sample(source=source, frame=frame.head(_HEAD), total=frame.height, delimiter=delimiter))


def sampled(source: Source, user: str | None, limit: int = MOST_ROWS) -> Sample:
    """At most `limit` rows of all files. With a user column, all rows of some users, so that outcomes keep their impressions.

    Which users are kept depends on a hash of the user alone, so samples of two sources with the same `every` have the same users.

    Raises:
        InputError: a file cannot be read.
    """
    delimiter, every, total, kept = _delimiter(source), 1, 0, pl.DataFrame()
    for block in _blocks(source, delimiter):
        numbered = block.with_columns(pl.Series(_SHARE, _shares(block, user, total)))
        total += block.height
        kept = pl.concat([kept, _one_of(numbered, every)], how="diagonal_relaxed")
        while kept.height > limit and every < 2**30:
            every *= 2
            kept = _one_of(kept, every)
    return _typed(Sample(source=source, frame=kept, total=total, every=every, delimiter=delimiter))


def thinned(sample: Sample, every: int) -> Sample:
    """The sample of fewer users."""
    return dataclasses.replace(sample, frame=_one_of(sample.frame, every), every=max(every, sample.every))


_SHARE = "\0share"


def columns(frame: pl.DataFrame) -> list[str]:
    """The columns of the files."""
    return [name for name in frame.columns if "\0" not in name]


def _shares(block: pl.DataFrame, user: str | None, before: int) -> pl.Series:
    if user is not None and user in block.columns:
        return block[user].cast(pl.String).hash(seed=7)
    return (pl.Series(range(before, before + block.height), dtype=pl.UInt64)).hash(seed=7)


def _one_of(frame: pl.DataFrame, every: int) -> pl.DataFrame:
    return frame if every == 1 or frame.is_empty() else frame.filter(pl.col(_SHARE) % every == 0)


def _blocks(source: Source, delimiter: str) -> Iterator[pl.DataFrame]:
    read = {"parquet": _parquet, "csv": _csv, "jsonl": _json_lines}[source.format]
    for file in source.files:
        try:
            yield from read(file, delimiter)
        except (OSError, ValueError, pa.ArrowException, pl.exceptions.PolarsError) as error:
            message = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise InputError(f"{file}: cannot be read as {source.format} ({message}). Repair or remove it.") from None


def _parquet(file: str, _: str) -> Iterator[pl.DataFrame]:
    with pq.ParquetFile(file) as parquet:
        for batch in parquet.iter_batches(_BLOCK):
            yield _frame(pa.Table.from_batches([batch]))


def _csv(file: str, delimiter: str) -> Iterator[pl.DataFrame]:
    with open_stream(file) as stream:
        first = _first_line(stream)
        if not first.strip():
            return
        names = next(csv.reader([first], delimiter=delimiter))
        reader = pacsv.open_csv(
            stream,
            read_options=pacsv.ReadOptions(column_names=names),
            parse_options=pacsv.ParseOptions(
                delimiter=delimiter, newlines_in_values=True, invalid_row_handler=lambda row: "skip"
            ),
            convert_options=pacsv.ConvertOptions(
                column_types={name: pa.string() for name in names}, strings_can_be_null=True, null_values=[""]
            ),
        )
        for batch in reader:
            yield _frame(pa.Table.from_batches([batch]))


def _json_lines(file: str, _: str) -> Iterator[pl.DataFrame]:
    with open_stream(file) as stream:
        rows: list[dict[str, object]] = []
        for line in io.BufferedReader(stream):
            try:
                row = json.loads(line)
            except ValueError:
                continue
            if isinstance(row, dict):
                rows.append(row)
            if len(rows) >= _BLOCK:
                yield _of_rows(rows)
                rows = []
        if rows:
            yield _of_rows(rows)


def _of_rows(rows: list[dict[str, object]]) -> pl.DataFrame:
    """A frame of JSON objects. A column of several types becomes text."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    return pl.DataFrame([_series(name, [row.get(name) for row in rows]) for name in names])


def _series(name: str, values: list[object]) -> pl.Series:
    kinds = {type(value) for value in values if value is not None}
    try:
        if len(kinds) <= 1 or kinds == {int, float}:
            return pl.Series(name, [float(v) if kinds == {int, float} and v is not None else v for v in values])  # type: ignore[arg-type]
    except (TypeError, OverflowError, pl.exceptions.PolarsError):
        pass
    return pl.Series(name, [v if v is None or isinstance(v, str) else json.dumps(v) for v in values])


def _frame(table: pa.Table) -> pl.DataFrame:
    found = pl.from_arrow(table)
    assert isinstance(found, pl.DataFrame)
    return found.with_columns(pl.col(pl.Categorical, pl.Enum).cast(pl.String), pl.col(pl.Decimal).cast(pl.Float64))


def _first_line(stream: pa.NativeFile) -> str:
    found = bytearray()
    while byte := stream.read(1):
        if byte == b"\n":
            break
        found += byte
    return found.decode("utf-8-sig", errors="replace").rstrip("\r")


def _delimiter(source: Source) -> str:
    if source.format != "csv":
        return ","
    with open_stream(source.files[0]) as stream:
        first = _first_line(stream)
    return max(_DELIMITERS, key=lambda mark: (first.count(mark), mark == ","))


def _typed(sample: Sample) -> Sample:
    """Texts of CSV and JSON Lines as whole numbers, numbers or truth values, if nearly all are. A column with `007` stays text."""
    if sample.source.format == "parquet":
        return sample
    frame, nulls = sample.frame, set[str]()
    for name in columns(frame):
        if frame[name].dtype != pl.String:
            continue
        found = frame[name].drop_nulls()
        missing = found.is_in(_NULLS)
        texts = found.filter(~missing)
        if texts.is_empty():
            continue
        for type_ in (pl.Int64, pl.Float64):
            read = texts.cast(type_, strict=False)
            padded = texts.str.contains(r"^\s*[+-]?0\d").any()
            if not padded and read.drop_nulls().len() >= _MOSTLY * texts.len():
                nulls |= set(found.filter(missing).to_list()) - {""}
                frame = frame.with_columns(pl.col(name).cast(type_, strict=False))
                break
    return dataclasses.replace(sample, frame=frame, nulls=tuple(sorted(nulls)))
