"""Publishing a folder as a version: whole or not at all, once, whatever is killed in between, whoever else pushes."""

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
from models.files.version_folders import WARM_UP_FILE, WHOLE, version_folders
from models.recipe.errors import InputError

logger = logging.getLogger(__name__)

_UNFINISHED = re.compile(r"\.\d+(?:\.(?P<host>.+)\.[0-9a-f]{32})?\.tmp")
"""Hidden, and no number: TensorFlow Serving looks only at folders whose whole name is a number."""

LITTER_SECONDS = 24 * 3600
"""No push takes as long: what is older is nobody's, on whichever machine it was made."""

_IDENTITY = WHOLE
"""Two exported models of the same files and sizes are one and the same if these are: the graph, and the checksums of the
weights."""


def publish(source: Path, base: Path, version: int, warm_up: Path | None = None) -> Path:
    """Makes `source` the version `version` below `base`, if it is not there already.

    The files are copied beside, under a name that no other push has, and the folder is renamed, so that a reader never sees
    half a version. What a push left behind that was killed while it copied is removed first.

    Args:
        source: the exported model.
        base: folder of the versions; made if it is missing.
        version: positive, rising with the age of the models: a server takes the largest.
        warm_up: requests that a server is to replay before it takes real ones, instead of those in `source`.

    Returns:
        The version's folder.

    Raises:
        InputError: `source` has no saved_model.pb, the version is not positive, it exists and is another model, or what was
            copied is not what is in `source`.
    """
    if version <= 0:
        raise InputError(f"Push: expected a positive version, received {version}.")
    if not (source / "saved_model.pb").is_file():
        raise InputError(f"Push: {source} has no saved_model.pb, so it is no exported model. Run the training again.")
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
                f"Push: {target} exists and holds another model than {source}, or not all of it. A pushed version never "
                "changes: remove that folder, or give this pipeline a serving.model_name of its own."
            )
        logger.info("Push: %s is already there.", target)
        return target


def _tell_of_newer(base: Path, version: int) -> None:
    newest = max(version_folders(base), default=version)
    if newest > version:
        logger.warning(
            "Push: version %d is not the newest in %s: a server that follows the newest stays at %d. Is that a version of "
            "something else, or of a clock that was ahead? Move it away, or serve this one by number: gatewise serving-config "
            "%s --stable %d.",
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
    """False if another push, on a machine whose locks do not reach here, was first."""
    try:
        os.rename(unfinished, target)
    except OSError as error:
        if error.errno in (errno.EEXIST, errno.ENOTEMPTY):
            return False
        raise
    return True


def _check_renamed(source: Path, target: Path, unfinished: Path) -> None:
    """Takes the version back if it is not whole."""
    try:
        _check_whole(source, target, "written")
    except InputError:
        os.rename(target, unfinished)
        raise


def _check_whole(source: Path, copy: Path, what: str) -> None:
    if not same_model(source, copy):
        raise InputError(
            f"Push: what was {what} to {copy} is not what is in {source}: one of them was changed or removed meanwhile. Let "
            f"nothing else write to {source} and {copy.parent}, and run the same command again."
        )


def _remove_litter(base: Path, alone: bool) -> None:
    """Removes what pushes have left that are certainly no longer under way.

    Args:
        base: folder of the versions.
        alone: whether this process holds the lock: then no other on this machine is copying. Of another machine the lock may
            not reach here, so there is only the age.
    """
    for litter in base.iterdir():
        if match := _UNFINISHED.fullmatch(litter.name):
            own = alone and match["host"] == socket.gethostname()
            try:
                old = time.time() - litter.stat().st_mtime > LITTER_SECONDS
            except FileNotFoundError:  # its own push was faster
                continue
            if own or old:
                logger.warning("Push: removing %s, which a push left that did not finish.", litter)
                shutil.rmtree(litter, ignore_errors=True)


def version_of_both(version: int, places: Iterable[tuple[Path, Path]]) -> int:
    """The version under which models are pushed that belong together.

    Mostly that is `version`. But after going back to an earlier ranker beside the newest retrieval model, say, the later of
    the two is the same as it was beside another ranker, which has the number already: then it is the next one. The answer
    is the same before and after each of them is pushed, so that two pushes agree without asking each other.

    Args:
        version: the smallest that it may be.
        places: for each of the models its folder, and the folder of its versions.

    Returns:
        The smallest number from `version` on that in no folder is another model's.
    """
    pairs = tuple(places)
    while any(_is_another(source, base / str(version)) for source, base in pairs):
        version += 1
    return version


def _is_another(source: Path, target: Path) -> bool:
    return os.path.lexists(target) and not same_model(source, target)


def same_model(one: Path, other: Path) -> bool:
    """Whether two folders hold the same files, of the same sizes, and the same graph and weights; the requests to warm a
    server up with may differ."""
    return _sizes(one) == _sizes(other) and all(_bytes(one / name) == _bytes(other / name) for name in _IDENTITY)


def _sizes(folder: Path) -> dict[str, int]:
    """{file: bytes}, of the model itself."""
    return {
        name: path.stat().st_size
        for path in folder.rglob("*")
        if path.is_file() and (name := str(path.relative_to(folder))) != WARM_UP_FILE
    }


def _bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None
