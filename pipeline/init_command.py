"""`gatewise init`: the command. Imports Polars inside the function, so that --help is instant."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from models.recipe.errors import InputError
from pipeline.output import output_file, write_output


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder with the logs: Parquet, CSV or JSON Lines.")],
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            metavar="FILE",
            callback=output_file,
            help="Recipe to write, which must not exist. Its name is the recipe's.",
        ),
    ] = Path("recipe.yaml"),
    time: Annotated[
        list[str], typer.Option("--time", metavar="[STREAM=]COLUMN", help="Column of the time. Repeatable.")
    ] = [],  # noqa: B006
    unit: Annotated[
        list[str],
        typer.Option("--unit", metavar="[STREAM=]UNIT", help="Unit of the time: s, ms, us, ns or text. Repeatable."),
    ] = [],  # noqa: B006
    zone: Annotated[
        list[str],
        typer.Option("--zone", metavar="[STREAM=]ZONE", help="Zone of times without an offset. Repeatable."),
    ] = [],  # noqa: B006
    impressions: Annotated[
        str | None, typer.Option("--impressions", metavar="STREAM", help="Stream of the impressions.")
    ] = None,
    key: Annotated[
        list[str],
        typer.Option(
            "--key", metavar="[STREAM=]A,B", help="Columns that join an outcome to its impression. Repeatable."
        ),
    ] = [],  # noqa: B006
    events: Annotated[
        str | None, typer.Option("--events", metavar="COLUMN", help="Column that tells the events of one file apart.")
    ] = None,
    user: Annotated[str | None, typer.Option("--user", metavar="COLUMN", help="Column of the user.")] = None,
    item: Annotated[str | None, typer.Option("--item", metavar="COLUMN", help="Column of the item.")] = None,
    label: Annotated[
        list[str],
        typer.Option("--label", metavar="COLUMN", help="Label of labelled examples, without event logs. Repeatable."),
    ] = [],  # noqa: B006
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing: take the default of each question.")] = False,
) -> None:
    """Write a recipe for a folder of logs.

    It validates and runs without an edit; its comments give the reasons. Looks at most at 200,000 rows of each file or folder of
    files. On a terminal, asks what the logs do not tell.

    Example: gatewise init logs --out my.yaml && gatewise run my.yaml
    """
    if out.exists():
        raise InputError(f"{out}: exists already. Remove it, or choose another file with --out.")
    from pipeline.starting.answers import Answers, by_stream
    from pipeline.starting.start import start

    answers = Answers(
        time=by_stream("time", time),
        unit=by_stream("unit", unit),
        zone=by_stream("zone", zone),
        key=by_stream("key", key),
        impressions=impressions,
        events=events,
        user=user,
        item=item,
        labels=tuple(label),
        ask=ask if sys.stdin.isatty() and not yes else None,
    )
    name = "" if out.name == "recipe.yaml" else out.stem
    found = start(folder, os.path.relpath(folder.resolve(), out.absolute().parent.resolve()), answers, name=name)
    write_output(out, found.text)
    for sample in found.samples:
        rows, of = sample.frame.height, sample.total
        typer.echo(f"{sample.source.path}: {f'{of:,} rows' if rows == of else f'{rows:,} sampled of {of:,} rows'}")
    typer.echo(
        f"{out}: {len(found.recipe.features)} features, tasks {', '.join(found.recipe.tasks)}; {found.unsure} to check, marked UNSURE\n"
        f"Next: {_program()} run {out}"
    )


def _program() -> str:
    """The program as the user has called it."""
    return sys.argv[0] if Path(sys.argv[0]).name == "gatewise" else "gatewise"


def ask(question: str, answers: Sequence[str], default: str | None) -> str:
    """Asks on the terminal until the answer is one of the choices."""
    while True:
        given = str(typer.prompt(f"{question} [{', '.join(answers)}]", default=default))
        if given in answers:
            return given
        typer.echo(f"Expected one of {', '.join(answers)}; received {given!r}.")
