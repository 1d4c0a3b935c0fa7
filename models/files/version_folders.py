"""Which folders are versions of a model, and what is where in them: one answer for the push, the gates, the servers and the tools."""

from __future__ import annotations

import re
from pathlib import Path

LARGEST = 2**63 - 1
"""A version is an int64 in TensorFlow Serving's protos."""

WARM_UP = "tf_serving_warmup_requests"
"""The name under which TensorFlow Serving, and the push beside the probe's blessing, look for requests of real rows."""
WARM_UP_FILE = f"assets.extra/{WARM_UP}"
"""Where TensorFlow Serving looks for requests to replay, below a version's folder."""

_NUMBER = re.compile(r"[1-9][0-9]{0,18}", re.ASCII)


WHOLE = ("saved_model.pb", "variables/variables.index")
"""What a server needs of a version besides its weights' bytes: the graph, and where in those bytes each weight is."""


def version_number(name: str) -> int | None:
    """The version that a folder's name stands for; None for what is none.

    Positive, in decimal digits without leading zeros, so that each version has one name, and at most LARGEST.
    """
    number = int(name) if _NUMBER.fullmatch(name) else None
    return number if number is not None and number <= LARGEST else None


def version_folders(folder: Path) -> dict[int, Path]:
    """{version: its folder} of the model whose versions lie in `folder`, in ascending order; none where it is no such folder.

    A version without saved_model.pb is not there yet, or no longer.
    """
    found = {
        number: version
        for version in folder.glob("*")
        if (number := version_number(version.name)) is not None and (version / "saved_model.pb").is_file()
    }
    return dict(sorted(found.items()))


def is_whole(version: Path) -> bool:
    """Whether a version's folder has all that a server reads first; of one that is half copied something is missing."""
    return all((version / name).is_file() for name in WHOLE)


def model_folders(root: Path) -> list[Path]:
    """The folders of versions under a root, by name: a run's --root, the folder of all pushed models in it, or one model's
    folder itself."""
    root = root.resolve()
    if version_folders(root):
        return [root]
    base = root / "serving" if (root / "serving").is_dir() else root
    return sorted(folder for folder in base.glob("*") if folder.is_dir() and version_folders(folder))


def mistaken_folders(folder: Path) -> list[Path]:
    """Folders with a SavedModel in them that are no versions though their names are numbers, by name."""
    return sorted(
        found
        for found in folder.glob("*")
        if found.name.isdigit() and version_number(found.name) is None and (found / "saved_model.pb").is_file()
    )
