"""Withdrawn versions: pushed versions that a rollback has moved away from the servers. Their models are no ancestors of later ones.

Beside the folder of a model's versions, `serving/NAME`, the folder `serving/.withdrawn/NAME` holds each withdrawn version and a note
of the same name, VERSION.json. The note decides: a version with a note is withdrawn, even if its folder is not moved yet, or removed.
No server reads this folder: TensorFlow Serving reads the folder of the model's name alone, and in it only names that are numbers.
"""

from __future__ import annotations

import os
from pathlib import Path

import pydantic

from models.files.version_folders import version_number
from models.files.whole_file import write_whole
from models.recipe.errors import InputError
from models.recipe.section import Section

HIDDEN = ".withdrawn"


class Note(Section):
    """Why a version is withdrawn.

    Attributes:
        at: time of the rollback in UTC, ISO 8601 with microseconds. Versions withdrawn by one rollback have the same time.
        served: the version that this rollback made the served one.
        reason: the user's reason, or "".
    """

    at: str
    served: int
    reason: str = ""

    def in_words(self) -> str:
        """The time in UTC up to the second, and the reason."""
        return f"withdrawn {self.at[:19].replace('T', ' ')} UTC" + (f" ({self.reason})" if self.reason else "")


def withdrawn_folder(served: Path) -> Path:
    """The folder of the withdrawn versions of the model whose versions are in `served`. On the same file system, for a rename."""
    real = Path(os.path.realpath(served))
    return real.parent / HIDDEN / real.name


def note_file(served: Path, version: int) -> Path:
    """The file of the note of a version."""
    return withdrawn_folder(served) / f"{version}.json"


def read_note(served: Path, version: int) -> Note | None:
    """The note of a version; None if the version is not withdrawn.

    Raises:
        InputError: the file cannot be read or is not a note.
    """
    path = note_file(served, version)
    try:
        return Note.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}).") from None
    except pydantic.ValidationError:
        raise InputError(
            f"{path}: is not what gatewise rollback writes. The version is withdrawn if the file exists: write "
            '{"at": "2026-01-31T08:00:00.000000+00:00", "served": 1} into it, or remove it.'
        ) from None


def read_notes(served: Path) -> dict[int, Note]:
    """{version: note} of the withdrawn versions, ascending.

    Raises:
        InputError: a note cannot be read.
    """
    names = (file.stem for file in withdrawn_folder(served).glob("*.json"))
    numbers = sorted(number for name in names if (number := version_number(name)) is not None)
    return {number: note for number in numbers if (note := read_note(served, number)) is not None}


def write_note(served: Path, version: int, note: Note) -> None:
    """Writes the note of a version, atomically."""
    write_whole(note_file(served, version), note.model_dump_json(indent=1) + "\n")


def withdrawn_names(base: Path) -> list[str]:
    """Names of the models below `base`, a folder of models, that have withdrawn versions; sorted."""
    return sorted(folder.name for folder in (base / HIDDEN).glob("*") if read_notes(base / folder.name))


def fingerprint(*folders: str) -> str:
    """The withdrawn versions as text; "" if there are none. After a rollback or its undo, a push does not come from the cache."""
    found = {Path(folder).name: list(read_notes(Path(folder))) for folder in folders}
    return "; ".join(f"{name}: {', '.join(map(str, versions))}" for name, versions in found.items() if versions)
