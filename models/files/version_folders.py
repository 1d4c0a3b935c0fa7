"""Version folders of a model and their contents, for the push, the gates, the servers and the tools."""

from __future__ import annotations

import re
from pathlib import Path

LARGEST = 2**63 - 1
"""A version is an int64 in TensorFlow Serving's protos."""

WARM_UP = "tf_serving_warmup_requests"
"""File name of the warm-up requests, for TensorFlow Serving and for the push, which finds the file next to the probe's blessing."""
WARM_UP_FILE = f"assets.extra/{WARM_UP}"
"""Path of the warm-up requests in a version folder, as TensorFlow Serving expects it."""

_NUMBER = re.compile(r"[1-9][0-9]{0,18}", re.ASCII)


WHOLE = ("saved_model.pb", "variables/variables.index")
"""Files that a server needs of a version besides the weights: the graph and the index of the weights."""


def version_number(name: str) -> int | None:
    """The version number of a folder name, or None.

    A version is positive, at most LARGEST, and in decimal digits without leading zeros, so that it has one name.
    """
    number = int(name) if _NUMBER.fullmatch(name) else None
    return number if number is not None and number <= LARGEST else None


def version_folders(folder: Path) -> dict[int, Path]:
    """{version: folder} of the versions in `folder`, in ascending order; empty if it has none.

    Skips a version without saved_model.pb, which is being written or deleted.
    """
    found = {
        number: version
        for version in folder.glob("*")
        if (number := version_number(version.name)) is not None and (version / "saved_model.pb").is_file()
    }
    return dict(sorted(found.items()))


def is_whole(version: Path) -> bool:
    """Whether a version folder has all files of WHOLE. A partially copied folder does not."""
    return all((version / name).is_file() for name in WHOLE)


def model_folders(root: Path) -> list[Path]:
    """Model folders with versions under a root, sorted by name. The root is the --root of a run, its folder of pushed
    models, or a single model folder."""
    root = root.resolve()
    if version_folders(root):
        return [root]
    base = root / "serving" if (root / "serving").is_dir() else root
    return sorted(folder for folder in base.glob("*") if folder.is_dir() and version_folders(folder))


def mistaken_folders(folder: Path) -> list[Path]:
    """Folders with a SavedModel and a numeric name that is not a valid version, sorted by name."""
    return sorted(
        found
        for found in folder.glob("*")
        if found.name.isdigit() and version_number(found.name) is None and (found / "saved_model.pb").is_file()
    )
