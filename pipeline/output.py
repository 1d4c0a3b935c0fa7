"""What a command says to whom asks by machine: a line of JSON for each answer, on standard output or in a file."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from models.errors import InputError
from models.whole_file import write_whole


def write_lines(answers: Iterable[Mapping[str, Any]], output: Path | None) -> None:
    """Writes each answer as a line of JSON, to the file that `--output` names, or to standard output where it names none.

    Raises:
        InputError: it cannot be written there.
    """
    lines = "".join(json.dumps(answer) + "\n" for answer in answers)
    if output is None:
        sys.stdout.write(lines)
    else:
        write_output(output, lines)


def write_output(path: Path, text: str) -> None:
    """Writes the file that an option names.

    Raises:
        InputError: it cannot be written there.
    """
    try:
        write_whole(path, text)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror}). Name another file.") from None
