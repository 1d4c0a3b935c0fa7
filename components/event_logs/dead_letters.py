"""Malformed rows, kept with a reason beside the examples: `dead_letters/part-*.parquet`."""

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
    """Dead letters (row, reason, raw) of one stream and file with all the columns of `SCHEMA`."""
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
    """Writes a part file; its name follows from the rows, so a repeated attempt writes the same file again."""
    first = dead.row(0, named=True)
    name = hashlib.blake2b(f"{first['stream']}:{first['file']}:{first['row']}".encode(), digest_size=8).hexdigest()
    write_part(dead, folder, name)


def write_part(dead: pl.DataFrame, folder: str, name: str) -> None:
    """Writes `part-<name>.parquet`, whole or not at all."""
    with whole_file(os.path.join(folder, f"part-{name}.parquet")) as temporary:
        dead.write_parquet(temporary)


def kept(uri: str, error: InputError) -> InputError:
    """The error, which says where the dead letters are, if there are any: TFX removes the outputs of a stage that fails.

        .../EventLogs/examples/7  ->  .../EventLogs/refused/7/dead_letters

    Of the refused runs only the newest's are kept; the logs would give the others again.

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
    return InputError(f"{error} The malformed rows are kept: gatewise dead-letters {place / FOLDER} shows them.")
