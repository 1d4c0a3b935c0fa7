"""`gatewise examples`: the command. Imports polars inside the function, so that --help is instant."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def examples(
    root: Annotated[
        Path, typer.Argument(metavar="ROOT", help="--root of the runs, or one recipe's folder in it.")
    ] = Path("runs"),
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Folder to write to. Default: ROOT/examples.")
    ] = None,
    run: Annotated[
        str | None, typer.Option("--run", metavar="ID", help="Id of the run, or its beginning. Default: the newest.")
    ] = None,
) -> None:
    """Write the examples of a run as plain Parquet.

    train.parquet, validate.parquet and eval.parquet have one value in each cell, with label/TASK and weight/TASK;
    predictions.parquet has the eval predictions. pandas and Polars read them as they are.

    Example: gatewise examples runs --out examples
    """
    from pipeline.plain_examples import write_plain
    from pipeline.run_records import find, read_records

    records = read_records(root)
    out = out or root / "examples"
    written = write_plain(records[0] if run is None else find(records, run), out)
    for name, rows in written.items():
        typer.echo(f"{out / name}: {rows:,} rows")
