"""Dead letters: malformed rows, stored with a reason next to the examples in `dead_letters/part-*.parquet`."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

import polars as pl

from components.event_logs.tally import Tally
from components.storage.writing import whole_file
from models.recipe.errors import InputError
from models.recipe.locations import is_url

FOLDER = "dead_letters"
REFUSED = "refused"
SCHEMA = {"stream": pl.String, "file": pl.String, "row": pl.Int64, "reason": pl.String, "raw": pl.String}


def letters(dead: pl.DataFrame, stream: str, file: str) -> pl.DataFrame:
    """Adds the missing columns of `SCHEMA` to the dead letters (row, reason, raw) of one stream and file."""
    return dead.select(
        pl.lit(stream).alias("stream"), pl.lit(file).alias("file"), pl.col("row"), pl.col("reason"), pl.col("raw")
    )


def count(dead: pl.DataFrame, stream: str, file: str, tally: Tally) -> None:
    """Adds the dead letters of one stream and file to the tally, with the first row of each reason."""
    tally.add(dead.height, "account", stream, "dead_lettered")
    firsts = dead.sort("row").group_by("reason").agg(pl.len(), pl.col("row").first(), pl.col("raw").first())
    for reason, number, row, raw in firsts.iter_rows():
        tally.add(number, "reason", stream, reason)
        tally.sample(stream, reason, file, row, raw)


def write(dead: pl.DataFrame, folder: str) -> None:
    """Writes a part file. Its name depends only on the rows, so a repeated attempt writes the same file again."""
    first = dead.row(0, named=True)
    name = hashlib.blake2b(f"{first['stream']}:{first['file']}:{first['row']}".encode(), digest_size=8).hexdigest()
    write_part(dead, folder, name)


def write_part(dead: pl.DataFrame, folder: str, name: str) -> None:
    """Writes `part-<name>.parquet` atomically."""
    with whole_file(os.path.join(folder, f"part-{name}.parquet")) as temporary:
        dead.write_parquet(temporary)


def kept(uri: str, error: InputError) -> InputError:
    """Copies the dead letters of a refused run, and returns the error with their path. TFX removes the outputs of a failed stage.

        .../EventLogs/examples/7  ->  .../EventLogs/refused/7/dead_letters

    Only the newest refused run keeps its dead letters; the logs yield the others again.

    Args:
        uri: of the examples.
        error: why the logs are refused.
    """
    written = os.path.join(uri, FOLDER)
    if is_url(uri):
        return InputError(f"{error} Its malformed rows, if any, are in {written}.")
    if not any(Path(written).glob("part-*.parquet")):
        return error
    output = Path(uri)
    place = output.parent.parent / REFUSED / output.name
    if place.parent.is_dir():
        shutil.rmtree(place.parent, ignore_errors=True)
    place.mkdir(parents=True)
    shutil.copytree(written, place / FOLDER)
    return InputError(f"{error} To list the malformed rows, run: gatewise dead-letters {place / FOLDER}")
