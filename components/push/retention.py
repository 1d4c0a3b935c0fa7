"""Removing old versions after a push: by the recipe's rule, and never one that somebody serves or may go back to."""

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
"""Hidden, and no number: no server takes it for a version."""


def prune(keep: int, *folders: Path, pushed: int | None = None) -> list[int]:
    """Keeps the newest `keep` versions and those that are chosen; removes what is older.

    With two folders, of models that belong together, only a version that is whole in both counts, and it goes from both. What
    `gatewise serving-config` has chosen (stable, canary, kept, and what was served before) stays, whatever its age. The newest
    stay in any case, and with them the model that the next candidate is compared with; and so does what was pushed just now,
    where folders with larger numbers lie beside it. A version that is not whole does not count and is left to a person.

    A folder is renamed first and removed then, so that nobody sees half a version; what a killed pruning has renamed is
    removed by the next. A version that is chosen while it is renamed comes back.

    Args:
        keep: at least 2: the newest, and the one that a server has until the newest is loaded.
        folders: the folder of the versions; of a pair, both.
        pushed: the version that was pushed just now.

    Returns:
        The versions that were removed, ascending. None where a choice cannot be read: what is served is then not known.
    """
    try:
        chosen = _chosen(folders)
    except InputError as error:
        logger.warning("Push: no old version is removed, as it is not known which are served. %s", error)
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
        except FileNotFoundError:  # of one of the pair only, or the other one's push was faster
            continue
        except OSError as error:
            logger.warning("Push: %s is old, but cannot be removed: %s", folder / str(version), error)
            continue
        renamed.append((folder / str(version), hidden))
    if _is_chosen(version, folders):
        for target, hidden in renamed:
            os.rename(hidden, target)
        return False
    for target, hidden in renamed:
        _remove(hidden)
        logger.info("Push: %s is older than those that are kept, and removed.", target)
    return bool(renamed)


def _remove(folder: Path) -> None:
    """A file system that cannot remove it now does not fail the push, which is done: the next one tries again. Of a link, what
    it points to is not ours."""
    try:
        if folder.is_symlink():
            folder.unlink()
        else:
            shutil.rmtree(folder)
    except FileNotFoundError:
        pass
    except OSError as error:
        logger.warning("Push: %s cannot be removed: %s", folder, error)
