"""Keeps the statistics of good runs in a folder. The next run reads the newest."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path
from typing import Any

KEPT = 10
"""Number of kept statistics. The pipeline reads only the newest; the others are for users."""

ABOUT_FILE = "kept.json"


def keep(source: Path, folder: Path, about: dict[str, Any]) -> Path:
    """Copies statistics into a folder of its own below `folder`, which appears whole or not at all.

    The names rise with the time. What a kill left unfinished is removed, and so are all but the newest `KEPT`.

    Args:
        source: folder of the statistics, `Split-X/FeatureStats.pb`.
        folder: of all kept statistics; made if it is missing. One run at a time writes to it.
        about: what cannot be read from the files; `newest` returns it.

    Returns:
        The new folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for litter in folder.glob(".*.tmp"):
        shutil.rmtree(litter)
    target = folder / f"{time.time_ns():020d}"
    unfinished = folder / f".{target.name}.tmp"
    shutil.copytree(source, unfinished)
    (unfinished / ABOUT_FILE).write_text(json.dumps(about), encoding="utf-8")
    os.rename(unfinished, target)
    for old in _all(folder)[:-KEPT]:
        shutil.rmtree(old)
    return target


def newest(folder: Path) -> tuple[Path, dict[str, Any]] | None:
    """The statistics kept last, and what `keep` was told about them; None where there are none."""
    kept = _all(folder)
    return (kept[-1], json.loads((kept[-1] / ABOUT_FILE).read_text(encoding="utf-8"))) if kept else None


def _all(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("[0-9]*") if path.is_dir()) if folder.is_dir() else []
