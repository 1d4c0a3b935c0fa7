"""The dead letters of logs that were refused, kept: TFX removes the outputs of a stage that fails.

    .../EventLogs/examples/7  ->  .../EventLogs/refused/7/dead_letters

Of the refused runs only the newest's are kept; the logs would give the others again.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from components.event_logs.dead_letters import FOLDER
from models.recipe.errors import InputError
from models.recipe.locations import is_url

REFUSED = "refused"


def kept(uri: str, error: InputError) -> InputError:
    """The error, which says where the dead letters are, if there are any.

    Args:
        uri: of the examples.
        error: why the logs are refused.
    """
    letters = os.path.join(uri, FOLDER)
    if is_url(uri):
        return InputError(f"{error} Its malformed rows, if any, are in {letters}.")
    if not any(Path(letters).glob("part-*.parquet")):
        return error
    output = Path(uri)
    place = output.parent.parent / REFUSED / output.name
    if place.parent.is_dir():
        shutil.rmtree(place.parent, ignore_errors=True)
    place.mkdir(parents=True)
    shutil.copytree(letters, place / FOLDER)
    return InputError(f"{error} The malformed rows are kept: gatewise dead-letters {place / FOLDER} shows them.")
