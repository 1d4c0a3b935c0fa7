"""The files of a split by the pattern that TFX gives to a trainer: a folder and `*`."""

from __future__ import annotations

import glob
import os


def files_of(pattern: str) -> list[str]:
    """The files, sorted. Only the last name of the pattern is a glob: the folder may be called `runs [2026]`."""
    folder, name = os.path.split(pattern)
    return sorted(glob.glob(os.path.join(glob.escape(folder), name)))
