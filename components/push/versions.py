"""Publishes a folder as a version: atomically and once, even if a push is killed or others push at the same time."""

from __future__ import annotations

import errno
import logging
import os
import re
import shutil
import socket
import time
import uuid
from collections.abc import Iterable
from pathlib import Path

from components.push.lock import alone_in
from components.push.withdrawn import read_notes, withdrawn_folder
from models.files.version_folders import WARM_UP_FILE, WHOLE, version_folders
from models.recipe.errors import InputError

logger = logging.getLogger(__name__)

_UNFINISHED = re.compile(r"\.\d+(?:\.(?P<host>.+)\.[0-9a-f]{32})?\.tmp")
"""A hidden name that is not a number: TensorFlow Serving reads only folders with a number as name."""

LITTER_SECONDS = 24 * 3600
"""No push takes this long. An older temporary folder is abandoned, whichever machine created it."""

_IDENTITY = WHOLE
"""Two exported models with the same files and sizes are equal if these files are: the graph and the checksums of the weights."""


def publish(source: Path, base: Path, version: int, warm_up: Path | None = None) -> Path:
    """Publishes `source` as version `version` in `base`, unless it is already there.

    The files are copied to a unique temporary folder in `base`, which is then renamed, so a reader never sees half a version.
    Temporary folders of killed pushes are removed first.

    Args:
        source: the exported model.
        base: folder of the versions; created if it is missing.
        version: positive number, larger for newer models: a server takes the largest.
        warm_up: warm-up requests for the server, instead of those in `source`.

    Returns:
        The version's folder.

    Raises:
        InputError: `source` has no saved_model.pb, the version is not positive, the version exists with another model, or the
            copy differs from `source`.
    """
    if version <= 0:
        raise InputError(f"Push: expected a positive version, received {version}.")
    if not (source / "saved_model.pb").is_file():
        raise InputError(
            f"Push: {source} has no saved_model.pb, so it is not an exported model. Run the training again."
        )
    with alone_in([base]) as alone:
        _remove_litter(base, alone)
        target = base / str(version)
        if not os.path.lexists(target):
            unfinished = base / f".{version}.{socket.gethostname()}.{uuid.uuid4().hex}.tmp"
            try:
                _copy(source, unfinished, warm_up)
                if _renamed(unfinished, target):
                    _check_renamed(source, target, unfinished)
                    logger.info("Push: version %s is %s.", version, target)
                    _tell_of_newer(base, version)
                    return target
            finally:
                shutil.rmtree(unfinished, ignore_errors=True)
        if _is_another(source, target):
            raise InputError(
                f"Push: {target} exists and differs from the model in {source}. A pushed version never "
                "changes: remove that folder, or set another serving.model_name in this recipe."
            )
        logger.info("Push: %s already exists.", target)
        return target


def _tell_of_newer(base: Path, version: int) -> None:
    newest = max(version_folders(base), default=version)
    if newest > version:
        logger.warning(
            "Push: version %d is not the newest in %s: a server that follows the newest version keeps serving %d. Does that version "
            "belong to another pipeline, or was a clock ahead? Move it away, or serve this version by number: gatewise "
            "serving-config %s --stable %d.",
            version,
            base,
            newest,
            base,
            version,
        )


def _copy(source: Path, unfinished: Path, warm_up: Path | None) -> None:
    shutil.copytree(source, unfinished)
    if warm_up is not None:
        (unfinished / WARM_UP_FILE).parent.mkdir(exist_ok=True)
        shutil.copyfile(warm_up, unfinished / WARM_UP_FILE)
    _check_whole(source, unfinished, "copied")


def _renamed(unfinished: Path, target: Path) -> bool:
    """False if another push was first, on a machine that does not share this lock."""
    try:
        os.rename(unfinished, target)
    except OSError as error:
        if error.errno in (errno.EEXIST, errno.ENOTEMPTY):
            return False
        raise
    return True


def _check_renamed(source: Path, target: Path, unfinished: Path) -> None:
    """Withdraws the version if it is incomplete."""
    try:
        _check_whole(source, target, "written")
    except InputError:
        os.rename(target, unfinished)
        raise


def _check_whole(source: Path, copy: Path, what: str) -> None:
    if not same_model(source, copy):
        raise InputError(
            f"Push: the files {what} to {copy} differ from those in {source}: one of them changed or was removed during the push. "
            f"Make sure that no other process writes to {source} or {copy.parent}, and run the same command again."
        )


def _remove_litter(base: Path, alone: bool) -> None:
    """Removes temporary folders of pushes that are certainly over.

    Args:
        base: folder of the versions.
        alone: whether this process holds the lock. If so, no other process on this machine is copying. Another machine may
            not share the lock, so its folders are removed by age only.
    """
    for litter in base.iterdir():
        if match := _UNFINISHED.fullmatch(litter.name):
            own = alone and match["host"] == socket.gethostname()
            try:
                old = time.time() - litter.stat().st_mtime > LITTER_SECONDS
            except FileNotFoundError:  # its own push was faster
                continue
            if own or old:
                logger.warning("Push: removing %s, left by an unfinished push.", litter)
                shutil.rmtree(litter, ignore_errors=True)


def version_of_both(version: int, places: Iterable[tuple[Path, Path]]) -> int:
    """The common version of a pair of models.

    Usually `version`. It is a later number if another pair has that one: for example, if an earlier ranker is combined with
    the newest retrieval model again, the newer of the two already has its number with another ranker. The result is the same
    before and after either model is pushed, so two pushes agree without communication.

    Args:
        version: the smallest possible version.
        places: (folder of the model, folder of its versions) of each model.

    Returns:
        The smallest number from `version` on that no other model has in any of the folders, nor had before it was withdrawn.
    """
    pairs = tuple(places)
    while any(
        _is_another(source, folder / str(version))
        for source, base in pairs
        for folder in (base, withdrawn_folder(base))
    ):
        version += 1
    return version


def refuse_withdrawn(version: int, places: Iterable[tuple[Path, Path]]) -> None:
    """Refuses to push a model again that a rollback has withdrawn.

    A model that is also pushed under another version, which is not withdrawn, is not refused: an unchanged ranker whose new
    retrieval model was withdrawn.

    Args:
        version: the number under which the models would be pushed.
        places: (folder of the model, folder of its versions) of each model.

    Raises:
        InputError: one of the models is withdrawn.
    """
    for source, base in places:
        notes = read_notes(base)
        live = [path for number, path in version_folders(base).items() if number not in notes]
        for number, note in reversed(notes.items()):
            held = [folder / str(number) for folder in (withdrawn_folder(base), base)]
            same = any(path.exists() and same_model(source, path) for path in held)
            gone = number == version and not any(path.exists() for path in held)
            if (same or gone) and not any(same_model(source, path) for path in live):
                raise InputError(
                    f"Push: this model is version {number} of {base.name}, which was {note.in_words()}, so it is not pushed again. "
                    f"To serve it again: gatewise rollback {base} --undo. To train another model, change the recipe or the data."
                )


def _is_another(source: Path, target: Path) -> bool:
    return os.path.lexists(target) and not same_model(source, target)


def same_model(one: Path, other: Path) -> bool:
    """Whether two folders have the same files with the same sizes, and the same graph and weights. Warm-up requests may differ."""
    return _sizes(one) == _sizes(other) and all(_bytes(one / name) == _bytes(other / name) for name in _IDENTITY)


def _sizes(folder: Path) -> dict[str, int]:
    """{file: bytes} of the model, without warm-up requests."""
    return {
        name: path.stat().st_size
        for path in folder.rglob("*")
        if path.is_file() and (name := str(path.relative_to(folder))) != WARM_UP_FILE
    }


def _bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None
