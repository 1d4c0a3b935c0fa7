"""The options of `gatewise` before the command: version, and what is printed beside the result."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from models.recipe.errors import InputError
from pipeline.screen import Screen, choose


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"gatewise {version('gatewise')}")
        raise typer.Exit


def common(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="run, compare, tune: also print what the libraries write.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="run, compare, tune: print the outcome alone.")] = False,
    log_format: Annotated[
        Literal["text", "json"],
        typer.Option("--log-format", help="run, compare, tune: json prints one object per line, for a log store."),
    ] = "text",
) -> None:
    if verbose and quiet:
        raise InputError("--verbose and --quiet: give one of them.")
    choose(Screen(amount="verbose" if verbose else "quiet" if quiet else "normal", format=log_format))
