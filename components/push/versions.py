"""Publishing a folder as a version: whole or not at all, once, whatever is killed in between."""

from __future__ import annotations

import logging
import os
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from models.errors import InputError
from models.serving_inputs import WARM_UP_FILE

logger = logging.getLogger(__name__)

_UNFINISHED = re.compile(r"\.\d+\.tmp")
"""Hidden, and no number: TensorFlow Serving looks only at folders whose whole name is a number."""

_IDENTITY = ("saved_model.pb", "variables/variables.index")
"""Two exported models are one and the same if these are: the graph, and the checksums of the weights."""


def publish(source: Path, base: Path, version: int, warm_up: Path | None = None) -> Path:
    """Makes `source` the version `version` below `base`, if it is not there already.

    The files are copied beside and the folder is renamed, so that a reader never sees half a version. What a push left
    behind that was killed while it copied is removed first: only one push may write to `base` at a time.

    Args:
        source: the exported model.
        base: folder of the versions; made if it is missing.
        version: positive, rising with the age of the models: a server takes the largest.
        warm_up: requests that a server is to replay before it takes real ones, instead of those in `source`.

    Returns:
        The version's folder.

    Raises:
        InputError: `source` has no saved_model.pb, the version is not positive, or it exists and is another model.
    """
    if version <= 0:
        raise InputError(f"Push: expected a positive version, received {version}.")
    if not (source / "saved_model.pb").is_file():
        raise InputError(f"Push: {source} has no saved_model.pb, so it is no exported model. Run the training again.")
    base.mkdir(parents=True, exist_ok=True)
    for litter in base.iterdir():
        if _UNFINISHED.fullmatch(litter.name):
            logger.warning("Push: removing %s, which a push left that did not finish.", litter)
            shutil.rmtree(litter)
    target = base / str(version)
    if target.exists():
        if _is_another(source, target):
            raise InputError(
                f"Push: {target} exists and holds another model than {source}. A pushed version never changes: "
                "remove that folder, or give this pipeline a serving.model_name of its own."
            )
        logger.info("Push: %s is already there.", target)
        return target
    unfinished = base / f".{version}.tmp"
    shutil.copytree(source, unfinished)
    if warm_up is not None:
        (unfinished / WARM_UP_FILE).parent.mkdir(exist_ok=True)
        shutil.copyfile(warm_up, unfinished / WARM_UP_FILE)
    os.rename(unfinished, target)
    logger.info("Push: version %s is %s.", version, target)
    return target


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
    return target.exists() and not same_model(source, target)


def same_model(one: Path, other: Path) -> bool:
    """Whether two folders hold the same graph and the same weights."""
    return all(_bytes(one / name) == _bytes(other / name) for name in _IDENTITY)


def _bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None
