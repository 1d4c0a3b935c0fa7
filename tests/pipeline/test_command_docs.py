"""docs/cli.md: every command, argument and option is there, with its help."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
import typer.main

from pipeline import command_docs
from pipeline.cli import app


def leaves(command: Any, name: str = "gatewise") -> Iterator[tuple[str, Any]]:
    if hasattr(command, "commands"):
        for inner in command.commands.values():
            yield from leaves(inner, f"{name} {inner.name}")
    else:
        yield name, command


def test_every_command_has_a_section_with_its_arguments_and_options() -> None:
    sections = {part.split("\n", 1)[0]: part for part in command_docs.page().split("\n### ")[1:]}
    found = dict(leaves(typer.main.get_command(app)))
    assert len(found) >= 20
    for name, command in found.items():
        for parameter in command.params:
            if parameter.name != "help":
                shown = (
                    parameter.opts[0]
                    if parameter.param_type_name == "option"
                    else parameter.metavar or parameter.name.upper()
                )
                assert f"| `{shown}" in sections[name], f"{name}: {shown}"
                assert parameter.help, f"{name}: {shown} has no help"


def cook(
    dish: Annotated[str, typer.Argument(metavar="DISH", help="What to | cook.")],
    sauces: Annotated[list[str] | None, typer.Argument(metavar="SAUCE", help="Sauces.")] = None,
    heat: Annotated[Literal["low", "high"], typer.Option(help="Heat.")] = "low",
    minutes: Annotated[int, typer.Option("--minutes", "-m", help="Minutes.")] = 5,
    out: Annotated[Path, typer.Option(help="Plate.")] = ...,  # type: ignore[assignment]
    hot: Annotated[bool, typer.Option("--hot", help="Serve hot.")] = False,
    secret: Annotated[str, typer.Option(hidden=True)] = "",
) -> None:
    """Cook a dish.

    With care, over two
    lines. Example: gatewise cook soup --hot
    """


def test_a_command_s_section() -> None:
    one = typer.Typer()
    one.command()(cook)
    assert "".join(command_docs._command(typer.main.get_command(one), "cook")) == (
        "### gatewise cook\n\nCook a dish.\n\nWith care, over two lines.\n\n"
        "```\ngatewise cook soup --hot\n```\n\n"
        "```text\ngatewise cook DISH [SAUCE...] --out PATH [OPTIONS]\n```\n\n"
        "| name | value | default | description |\n|---|---|---|---|\n"
        "| `DISH` |  | required | What to \\| cook. |\n"
        "| `SAUCE` |  |  | Sauces. |\n"
        "| `--heat` | `low or high` | `low` | Heat. |\n"
        "| `--minutes, -m` | `INTEGER` | `5` | Minutes. |\n"
        "| `--out` | `PATH` | required | Plate. |\n"
        "| `--hot` |  |  | Serve hot. |\n\n"
    )
