"""Files of a split, from the pattern that TFX passes to a trainer: a folder and `*`."""

from __future__ import annotations

import glob
import os


def files_of(pattern: str) -> list[str]:
    """The files, sorted. Only the last part of the pattern is a glob: a folder may have a name such as `runs [2026]`."""
    folder, name = os.path.split(pattern)
    return sorted(glob.glob(os.path.join(glob.escape(folder), name)))
