"""Removes old versions after a push, by the recipe's rule. Versions that are served, or kept for a rollback, stay."""

from __future__ import annotations

import logging
import os
import re
import shutil
from pathlib import Path

from components.push.serving_choice import read_choice
from models.files.version_folders import is_whole, version_folders
from models.recipe.errors import InputError

logger = logging.getLogger(__name__)

_PRUNED = re.compile(r"\.(\d+)\.pruned")
"""A hidden name that is not a number: no server loads it as a version."""


def prune(keep: int, *folders: Path, pushed: int | None = None) -> list[int]:
    """Removes all versions except the newest `keep` and those chosen by `gatewise serving-config`.

    With two folders, for a pair of models, only a version that is complete in both counts, and it is removed from both. The
    choice of `gatewise serving-config` (stable, canary, kept, and previously served) stays, whatever its age. The newest
    versions always stay, and with them the baseline of the next candidate. The version that was just pushed stays even if
    larger numbers exist. An incomplete version does not count and is not removed.

    A folder is renamed before it is removed, so a reader never sees half a version. The next pruning removes what a killed one
    has renamed. A version that is chosen while it is renamed is restored.

    Args:
        keep: at least 2: the newest version, and the one that a server uses until the newest is loaded.
        folders: the folder of the versions; for a pair, both folders.
        pushed: the version that was just pushed.

    Returns:
        The removed versions, ascending; empty if the choice cannot be read, because the served versions are then unknown.
    """
    try:
        chosen = _chosen(folders)
    except InputError as error:
        logger.warning("Push: removing no old versions, because the served versions are unknown. %s", error)
        return []
    for folder in folders:
        for litter in folder.glob(".*.pruned"):
            if match := _PRUNED.fullmatch(litter.name):
                target = folder / match[1]
                if int(match[1]) in chosen and not target.exists():
                    os.rename(litter, target)
                else:
                    _remove(litter)
    versions = [{number for number, path in version_folders(folder).items() if is_whole(path)} for folder in folders]
    whole = sorted(set.intersection(*versions))
    if len(whole) <= keep:
        return []
    oldest_kept = whole[-keep]
    old = sorted(
        version for version in set.union(*versions) if version < oldest_kept and version not in {*chosen, pushed}
    )
    return [version for version in old if _prune_one(version, folders)]


def _chosen(folders: tuple[Path, ...]) -> frozenset[int]:
    choices = [choice for folder in folders if (choice := read_choice(folder)) is not None]
    return frozenset().union(*(choice.numbers for choice in choices))


def _is_chosen(version: int, folders: tuple[Path, ...]) -> bool:
    try:
        return version in _chosen(folders)
    except InputError:
        return True


def _prune_one(version: int, folders: tuple[Path, ...]) -> bool:
    renamed = []
    for folder in folders:
        hidden = folder / f".{version}.pruned"
        try:
            os.rename(folder / str(version), hidden)
        except FileNotFoundError:  # only one of the pair has it, or the partner's push was faster
            continue
        except OSError as error:
            logger.warning("Push: cannot remove the old version %s: %s", folder / str(version), error)
            continue
        renamed.append((folder / str(version), hidden))
    if _is_chosen(version, folders):
        for target, hidden in renamed:
            os.rename(hidden, target)
        return False
    for target, hidden in renamed:
        _remove(hidden)
        logger.info("Push: removed the old version %s.", target)
    return bool(renamed)


def _remove(folder: Path) -> None:
    """Removes a folder, or a link without its target. A failure does not fail the push, which is done; the next push tries again."""
    try:
        if folder.is_symlink():
            folder.unlink()
        else:
            shutil.rmtree(folder)
    except FileNotFoundError:
        pass
    except OSError as error:
        logger.warning("Push: cannot remove %s: %s", folder, error)
