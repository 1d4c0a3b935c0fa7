"""Keeps the statistics of good runs in a folder. The next run reads the newest."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path
from typing import Any

KEPT = 10
"""Number of kept statistics, or more if the same weekday has to be among them. The pipeline reads one; the others are for users."""

ABOUT_FILE = "kept.json"


def keep(source: Path, folder: Path, about: dict[str, Any], kept: int = KEPT) -> Path:
    """Copies statistics into a folder of its own below `folder`, which appears whole or not at all.

    The names rise with the time. What a kill left unfinished is removed, and so are all but the newest `kept`.

    Args:
        source: folder of the statistics, `Split-X/FeatureStats.pb`.
        folder: of all kept statistics; made if it is missing. One run at a time writes to it.
        about: what cannot be read from the files; `newest` returns it.
        kept: number of newest statistics that stay.

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
    for old in _all(folder)[:-kept]:
        shutil.rmtree(old)
    return target


def newest(folder: Path, span: int = 0, every: int = 0) -> tuple[Path, dict[str, Any]] | None:
    """The statistics kept last, and what `keep` was told about them; None where there are none.

    Args:
        folder: of all kept statistics.
        span: span of the candidate.
        every: only statistics of a span that `comes_again` as this one.
    """
    for kept in reversed(_all(folder)):
        about = json.loads((kept / ABOUT_FILE).read_text(encoding="utf-8"))
        if comes_again(about.get("span", 0), span, every):
            return kept, about
    return None


def comes_again(earlier: int, span: int, every: int) -> bool:
    """Whether a span is a multiple of `every` spans before another one; any span if `every` is 0."""
    return every == 0 or (earlier < span and (span - earlier) % every == 0)


def _all(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("[0-9]*") if path.is_dir()) if folder.is_dir() else []
