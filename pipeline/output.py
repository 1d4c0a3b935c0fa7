"""What a command says to whom asks by machine: a line of JSON for each answer, on standard output or in a file."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import signal
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

from models.files.whole_file import write_whole
from models.recipe.errors import GatewiseError, InputError


class ClosedOutput(GatewiseError):
    """Nobody reads what a command writes any more: it ends without a word, as other programs do."""

    exit_code = 128 + signal.SIGPIPE


def write_lines(answers: Iterable[Mapping[str, Any]], output: Path | None) -> None:
    """Writes each answer as a line of JSON, to the file that `--output` names, or to standard output where it names none.

    Raises:
        InputError: it cannot be written there.
    """
    lines = (json.dumps(answer) + "\n" for answer in answers)
    if output is not None:
        write_output(output, "".join(lines))
        return
    try:
        sys.stdout.writelines(lines)
    except BrokenPipeError:
        raise
    except OSError as error:
        _give_up(sys.stdout)
        raise _unwritable(error) from None


def write_output(path: Path, text: str) -> None:
    """Writes the file that an option names.

    Raises:
        InputError: it cannot be written there.
    """
    try:
        write_whole(path, text)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror}). Name another file.") from None


def output_file(path: Path | None) -> Path | None:
    """The value of an option that names a file to write; looked at before the work that the file is to tell of.

    Raises:
        InputError: it is a folder, or below something that is none.
    """
    if path is None:
        return None
    if path.is_dir():
        raise InputError(
            f"{path}: is a folder, and a file is to be written. Name a file, such as {path / 'result.json'}."
        )
    above = next(folder for folder in path.absolute().parents if os.path.lexists(folder))
    if not above.is_dir():
        raise InputError(f"{path}: cannot be written, as {above} is no folder. Name another file.")
    return path


def require_folder(path: Path) -> None:
    """Refuses what `--out` names where a folder is to be written.

    Raises:
        InputError: something is there that is no folder.
    """
    if path.exists() and not path.is_dir():
        raise InputError(f"{path}: is no folder, and a folder is to be written. Name another.")


@contextlib.contextmanager
def standard_output() -> Iterator[None]:
    """A block that writes to standard output, and what it wrote is out at its end.

    Raises:
        ClosedOutput: whoever read it has gone, such as `head`.
        InputError: it cannot be written, such as on a full disk.
    """
    try:
        yield
    except (OSError, SystemExit) as error:
        # Typer and rich end a command whose output is closed with 1, as if the input were refused.
        cause = error.__context__ if isinstance(error, SystemExit) else error
        if not isinstance(cause, BrokenPipeError):
            raise
        _give_up(sys.stdout)
        raise ClosedOutput("") from None
    try:
        sys.stdout.flush()
    except OSError as error:
        _give_up(sys.stdout)
        if error.errno == errno.EPIPE:
            raise ClosedOutput("") from None
        raise _unwritable(error) from None


def _unwritable(error: OSError) -> InputError:
    return InputError(f"standard output: cannot be written ({error.strerror}). Send it elsewhere.")


def _give_up(stream: TextIO) -> None:
    """What is not out yet goes nowhere: else Python tries, and complains, again at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
