"""Runs a command of gatewise in a process of its own.

The result is that of the command to the bit, its memory is given back, and a crash does not end the notebook.
"""

from __future__ import annotations

import collections
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from models.recipe.errors import GatewiseError, InputError
from pipeline.backfill import ended_with_this_process

ROOT = Path(__file__).parents[1]
"""Parent folder of the packages."""

_COMMAND = ("-P", "-m", "pipeline.cli")
"""Without -P, a folder `models` or `pipeline` in the working directory would hide gatewise's."""

REFUSED = 1
_SAID = "gatewise: "
"""Beginning of the message of an error (`pipeline.cli.main`)."""
_KEPT = 200
"""Number of last lines on standard error in which the message is looked for."""
_SHOWN = 20


def call(
    arguments: Sequence[str],
    accepted: Sequence[int],
    quiet: bool,
    *,
    results: str | None = None,
    what: Sequence[str] = _COMMAND,
) -> str:
    """Runs `gatewise ARGUMENTS`, and shows its progress on `sys.stderr`.

    Args:
        arguments: command and options.
        accepted: exit codes that are no error.
        quiet: whether to show no progress.
        results: beginning of a line on standard output. If it is printed, exit code 1 is no error, but has parts that failed.
        what: options of Python that start the command line.

    Returns:
        What it printed on standard output.

    Raises:
        InputError: the exit code is 1. The message is the command's.
        GatewiseError: another exit code.
    """
    path = os.pathsep.join(dict.fromkeys([str(ROOT), *(part or os.getcwd() for part in sys.path)]))
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}
    last: collections.deque[str] = collections.deque(maxlen=_KEPT)
    shown = not quiet
    with tempfile.TemporaryFile("w+", encoding="utf-8") as printed:
        process = subprocess.Popen(
            [sys.executable, *what, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
            env=environment,
        )
        with process, ended_with_this_process(process):
            for line in process.stderr or ():
                last.append(line.rstrip("\n"))
                shown = shown and not line.startswith(_SAID)  # the message of the exception
                if shown:
                    print(line, end="", file=sys.stderr, flush=True)
            code = process.wait()
        printed.seek(0)
        text = printed.read()
    whole = results is not None and any(line.startswith(results) for line in text.splitlines())
    if code in accepted or (code == REFUSED and whole):
        return text
    if code == REFUSED:
        raise InputError(_message(list(last)))
    ending = "\n".join(list(last)[-_SHOWN:])
    raise GatewiseError(f"gatewise {arguments[0]} ended with code {code}. Its last output:\n{ending}")


def _message(lines: list[str]) -> str:
    """The message of the error that ended a command, or its last lines."""
    begins = [number for number, line in enumerate(lines) if line.startswith(_SAID)]
    return "\n".join(lines[begins[-1] :]).removeprefix(_SAID) if begins else "\n".join(lines[-_SHOWN:])
