"""`gatewise report`: the command. Imports ML Metadata inside the function, so that --help is instant."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from pipeline.native_stderr import native_stderr_to


def report(
    root: Annotated[Path, typer.Argument(metavar="ROOT", help="--root of a run, or one recipe's folder in it.")],
    out: Annotated[
        Path | None, typer.Option(metavar="FILE.html", help="Output file, in place of the pages in ROOT/RECIPE.")
    ] = None,
    run: Annotated[
        str | None,
        typer.Option("--run", metavar="ID", help="Report this run: an id that gatewise runs shows, or its beginning."),
    ] = None,
) -> None:
    """Write an HTML report of the last run.

    In one file: row accounting, metrics per task and slice, training curves, expert gates.

    Each run has its page, ROOT/RECIPE/reports/RUN.html. ROOT/RECIPE/report.html is a copy of the newest run's.

    Example: gatewise report runs --run 20260115-093000-411
    """
    with tempfile.TemporaryFile() as noise, native_stderr_to(noise.fileno()):
        from pipeline.report_data import write_reports

        pages = write_reports(root, out, run)
    for page in pages:
        typer.echo(str(page))
