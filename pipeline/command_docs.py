"""Generates docs/cli.md from the commands' own help: `python -m pipeline.command_docs`."""

from __future__ import annotations

import re
import sys
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.cli import app
from pipeline.command_groups import GROUPS

PAGE = Path(__file__).resolve().parent.parent / "docs" / "cli.md"

HEAD = """\
<!-- Written by `python -m pipeline.command_docs`; change the commands' help instead. -->
# Command line

The text of each command's `--help`. In a clone, the program is `.venv/bin/gatewise`. [troubleshooting.md](troubleshooting.md)
explains messages; [README.md](../README.md#your-own-logs) has the exit codes of `gatewise run`.

"""

EXAMPLE = re.compile(r"\s*\bExamples?: (?=gatewise )")
COMPLETION = ("--install-completion", "--show-completion", "--help")


def page() -> str:
    """The text of docs/cli.md: the options before the command, then each command by what people do with it."""
    import typer.main

    program: Any = typer.main.get_command(app)
    titled = {name for names in GROUPS.values() for name in names}
    groups = {**GROUPS, "Others": tuple(name for name in program.commands if name not in titled)}
    parts = [HEAD, "## Options before the command\n\n", _options(program)]
    for title, names in groups.items():
        commands = [program.commands[name] for name in names if name in program.commands]
        if commands:
            parts.append(f"## {title}\n\n")
        for command in commands:
            parts.extend(_command(command, command.name))
    return "".join(parts).rstrip() + "\n"


def _command(command: Any, name: str) -> Iterator[str]:
    commands = list(getattr(command, "commands", {}).values())
    yield f"### gatewise {name}\n\n{_help(command.help or '')}"
    if not commands:
        yield f"```text\n{_usage(command, name)}\n```\n\n{_options(command)}"
    for inner in commands:
        if not inner.hidden:
            yield from _command(inner, f"{name} {inner.name}")


def _help(text: str) -> str:
    """Paragraphs, and what follows `Example:` as a block of its own."""
    shown = []
    for paragraph in re.split(r"\n\s*\n", text.replace("\b", "").strip()):
        prose, *examples = EXAMPLE.split(" ".join(paragraph.split()))
        shown.extend([prose] if prose else [])
        shown.extend(f"```\n{example}\n```" for example in examples)
    return "".join(f"{part}\n\n" for part in shown)


def _usage(command: Any, name: str) -> str:
    words = [_shown_name(parameter) for parameter in command.params if parameter.param_type_name == "argument"]
    required = [
        f"{parameter.opts[0]} {_value(parameter)}"
        for parameter in command.params
        if parameter.param_type_name == "option" and parameter.required
    ]
    return " ".join(["gatewise", name, *words, *required, "[OPTIONS]"])


def _shown_name(parameter: Any) -> str:
    name = parameter.metavar or parameter.name.upper()
    several = "..." if parameter.nargs == -1 and not name.endswith("...") else ""
    return f"{name}{several}" if parameter.required else f"[{name}{several}]"


def _value(parameter: Any) -> str:
    if parameter.is_flag or parameter.count:
        return ""
    return parameter.metavar or _type(parameter.type_descriptor.annotation)


def _type(annotation: Any) -> str:
    """`INTEGER`, `NUMBER`, `PATH`, `TEXT` or the choices; of a list or an optional type, those of its items."""
    arguments = typing.get_args(annotation)
    if typing.get_origin(annotation) is typing.Literal:
        return " or ".join(map(str, arguments))
    if arguments:
        return _type(arguments[0])
    return {int: "INTEGER", float: "NUMBER", Path: "PATH"}.get(annotation, "TEXT")


def _options(command: Any) -> str:
    rows = []
    for parameter in command.params:
        if getattr(parameter, "hidden", False) or parameter.opts[0] in COMPLETION:
            continue
        argument = parameter.param_type_name == "argument"
        name = _cell(parameter.metavar or parameter.name.upper()) if argument else ", ".join(parameter.opts)
        value = "" if argument else _cell(_value(parameter))
        text = _cell(" ".join((parameter.help or "").split()))
        if parameter.envvar:
            text += f" Else the environment variable `{parameter.envvar}`."
        rows.append(f"| `{name}` | {f'`{value}`' if value else ''} | {_default(parameter)} | {text} |\n")
    return "".join(["| name | value | default | description |\n|---|---|---|---|\n", *rows, "\n"]) if rows else ""


def _default(parameter: Any) -> str:
    if parameter.required:
        return "required"
    default = parameter.default
    if isinstance(default, str | int | float | Path) and not isinstance(default, bool) and str(default):
        return f"`{_cell(str(default))}`"
    return ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    if sys.argv[1:] != ["--check"]:
        PAGE.write_text(page(), encoding="utf-8")
    elif not PAGE.is_file() or PAGE.read_text("utf-8") != page():
        sys.exit(f"docs/{PAGE.name}: out of date with the commands. Run: make docs")
