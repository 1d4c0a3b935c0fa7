"""`gatewise dead-letters`: the command. Imports polars inside the function, so that --help is instant."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def dead_letters(
    run: Annotated[
        Path,
        typer.Argument(
            metavar="RUN", help="Recipe's folder under the --root, such as runs/shop, or a folder of dead letters."
        ),
    ],
    reason: Annotated[
        str | None, typer.Option("--reason", metavar="TEXT", help="Show only reasons that contain this text.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Maximum number of rows per reason.")] = 5,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print every row as a line of JSON: stream, file, row, reason, raw.")
    ] = False,
) -> None:
    """Show malformed rows, by reason, with file and content.

    Those of the last run that read the logs, even if it was refused.

    Example: gatewise dead-letters runs/shop --reason time --limit 3
    """
    from pipeline.dead_letters import newest, read, shown
    from pipeline.output import write_lines

    folder = newest(run)
    letters = read(folder, reason)
    if as_json:
        write_lines(letters.iter_rows(named=True), None)
    else:
        typer.echo(shown(letters, folder, limit))
