"""The user's choice of served versions. It is stored next to the versions, so no push and no pruning undoes it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import pydantic
from pydantic import Field

from models.files.whole_file import write_whole
from models.recipe import findings
from models.recipe.errors import InputError
from models.recipe.section import Section

CHOICE = "serving.json"

Version = Annotated[int, Field(gt=0)]
Served = Version | Literal["newest"]


class ServingChoice(Section):
    """The versions that the servers load, and the other versions to keep on disk.

    Attributes:
        stable: version for all clients; `newest` follows each push.
        canary: version of the canary server; None means `stable`.
        keep: versions that are never pruned.
        previous: previously served versions, latest change first, for a rollback.
        mount: path at which the servers see the parent folder of the models' folders.
    """

    stable: Served = "newest"
    canary: Served | None = None
    keep: tuple[Version, ...] = ()
    previous: tuple[Version, ...] = ()
    mount: str = "/models"

    @property
    def numbers(self) -> frozenset[int]:
        """The versions that must stay: served by number, kept, or previously served."""
        named = (version for version in (self.stable, self.canary) if isinstance(version, int))
        return frozenset((*named, *self.keep, *self.previous))


def read_choice(served: Path) -> ServingChoice | None:
    """The choice in a model's folder of versions; None if there is none.

    Raises:
        InputError: the file cannot be read or is not a valid choice.
    """
    path = served / CHOICE
    try:
        return ServingChoice.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}).") from None
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise InputError(
            f"{path}{': ' + where if where else ''}: {findings.in_words(first)}; expected what gatewise serving-config writes. "
            "Remove the file and choose again with --stable."
        ) from None


def write_choice(served: Path, choice: ServingChoice) -> None:
    """Writes the choice next to the versions, atomically."""
    write_whole(served / CHOICE, choice.model_dump_json(indent=1) + "\n")
