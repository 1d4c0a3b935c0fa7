"""`gatewise report`: the command. Imports ML Metadata inside the function, so that --help is instant."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def report(
    root: Annotated[Path, typer.Argument(metavar="ROOT", help="--root of a run, or one recipe's folder in it.")],
    out: Annotated[Path | None, typer.Option(metavar="FILE.html", help="Default: report.html in ROOT/RECIPE.")] = None,
) -> None:
    """Write a self-contained HTML report of the last run: row accounting, metrics per task and slice, training curves, expert gates.

    Example: gatewise report runs
    """
    from pipeline.report_data import write_reports

    for page in write_reports(root, out):
        typer.echo(str(page))
