"""The command `gatewise predict`."""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer

from models.recipe.errors import InputError
from pipeline.native_stderr import native_stderr_to
from pipeline.output import output_file, write_lines, write_output
from pipeline.predicting.formats import compression_of, format_of


def predict(
    model: Annotated[
        Path,
        typer.Argument(metavar="MODEL_DIR", help="Pushed version, or folder of versions (the newest is used)."),
    ],
    path: Annotated[
        str,
        typer.Option(
            "--input",
            metavar="PATH",
            help="Parquet, CSV or JSON lines (.gz too): a file, a folder, or a glob in quotes.",
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            metavar="FILE",
            callback=output_file,
            help="Output file: .parquet, .csv, .jsonl, .csv.gz or .jsonl.gz. Default: JSON lines to standard output.",
        ),
    ] = None,
    columns: Annotated[
        str | None,
        typer.Option(
            metavar="NAME,...",
            help="Columns that pass through; '*' for all, '' for none. Default: all; none from JSON lines to JSON lines.",
        ),
    ] = None,
    prefix: Annotated[str, typer.Option(help="Prefix of the names of the added columns.")] = "",
    missing: Annotated[
        str, typer.Option(metavar="NAME,...", help="Columns of the model that the input lacks; missing in every row.")
    ] = "",
    json_file: Annotated[
        Path | None,
        typer.Option("--json", metavar="FILE", callback=output_file, help="Also write the summary as JSON."),
    ] = None,
) -> None:
    """Predict with an exported model: a column per task, and the score, beside the columns of Parquet, CSV or JSON lines.

    Rows keep their order. A killed command goes on where it was. JSON lines to JSON lines: one object per line, which may
    leave columns out, to one object of predictions.

    Example: gatewise predict runs/serving/shop --input shown.parquet --output scored.parquet --columns user_id,item_id
    """
    started = time.monotonic()
    with tempfile.TemporaryFile() as noise, native_stderr_to(noise.fileno()) as screen:
        from pipeline.predict import answer, newest_version

        lines = _is_lines(path) and (output is None or _is_lines(str(output)))
        if lines and columns is None and not prefix and not missing:
            answers = answer(model, Path(path))
            summary = {
                "model": str(newest_version(model)),
                "input": path,
                "output": None if output is None else str(output),
                "rows_in": len(answers),
                "rows_out": len(answers),
            }
        else:
            from pipeline.predicting.predict_table import predict_table

            answers = None
            summary = predict_table(
                newest_version(model),
                path,
                output,
                columns=None if columns is None else _names(columns),
                prefix=prefix,
                absent=_names(missing),
                say=lambda line: print(line, file=screen, flush=True),
            )
    if answers is not None:
        write_lines(answers, output)
    else:
        typer.echo(
            f"{summary['rows_in']:,} rows in, {summary['rows_out']:,} rows out to {output or 'standard output'} "
            f"in {time.monotonic() - started:.1f} s",
            err=True,
        )
    if json_file is not None:
        write_output(
            json_file, json.dumps({**summary, "seconds": round(time.monotonic() - started, 1)}, indent=1) + "\n"
        )


def _is_lines(path: str) -> bool:
    """Whether requests may be read from the path, or predictions written to it, line by line: also a pipe or another ending."""
    if Path(path).is_dir() or compression_of(path):
        return False
    return format_of(path) in (None, "jsonl") and not any(sign in path for sign in "*?")


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",")] if text.strip() else []
    if "" in names:
        raise InputError(f"{text!r}: expected names separated by commas, received an empty name.")
    return names
