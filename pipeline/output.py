"""Writes the results of a command to standard output or to a file."""

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
    """The reader of standard output has closed it. The command ends without a message, as other programs do."""

    exit_code = 128 + signal.SIGPIPE


def write_lines(answers: Iterable[Mapping[str, Any]], output: Path | None) -> None:
    """Writes each answer as a line of JSON to the `--output` file. None writes to standard output.

    Raises:
        InputError: the output cannot be written.
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
    """Writes the output file of an option.

    Raises:
        InputError: the file cannot be written.
    """
    try:
        write_whole(path, text)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror}). Choose another file.") from None


def output_file(path: Path | None) -> Path | None:
    """Checks an option's output file before the command starts its work.

    Raises:
        InputError: the path is a folder, or its parent is not a folder.
    """
    if path is None:
        return None
    if path.is_dir():
        raise InputError(
            f"{path}: is a folder, expected a file to write. Choose a file, such as {path / 'result.json'}."
        )
    above = next(folder for folder in path.absolute().parents if os.path.lexists(folder))
    if not above.is_dir():
        raise InputError(f"{path}: cannot be written, because {above} is not a folder. Choose another file.")
    return path


def require_folder(path: Path) -> None:
    """Checks that the output folder `path` is a folder or does not exist.

    Raises:
        InputError: the path exists and is not a folder.
    """
    if path.exists() and not path.is_dir():
        raise InputError(f"{path}: is not a folder, expected a folder to write. Choose another.")


@contextlib.contextmanager
def standard_output() -> Iterator[None]:
    """Context of a command that writes to standard output; flushes it at the end.

    Raises:
        ClosedOutput: the reader, such as `head`, has closed the pipe.
        InputError: standard output cannot be written, for example because the disk is full.
    """
    try:
        yield
    except (OSError, SystemExit) as error:
        # If the output is closed, Typer and rich exit with 1, the code for refused input.
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
    return InputError(f"standard output: cannot be written ({error.strerror}). Redirect it elsewhere.")


def _give_up(stream: TextIO) -> None:
    """Discards the unwritten output. Otherwise Python would try to flush it again at exit, and report an error."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
