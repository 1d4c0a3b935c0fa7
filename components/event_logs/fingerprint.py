"""Fingerprint of the logs' content, taken when the pipeline is assembled: TFX's cache does not look into log files."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from components.event_logs.files import matched_files
from components.storage.finding import relative, size_of
from models.errors import InputError
from models.locations import is_url

if TYPE_CHECKING:
    from models.recipe import Recipe

_PIECE = 1 << 22


def fingerprint(recipe: Recipe) -> str:
    """Hexadecimal BLAKE2b of (path relative to `data`, size, content) of every file of every stream, sorted by path.

    Touching or copying a file changes nothing; renaming it or changing one byte does.
    At a URL nothing is read: the size and the time of the last change stand for the content (`storage.listing.version_of`).
    There a file that is written again with the same content counts as changed, too: its stage runs once more.

    Raises:
        InputError: a stream's path matches no file, or a file cannot be read.
    """
    return fingerprint_files(recipe.data, _paths(recipe))


def fingerprint_files(data: str, paths: dict[str, str]) -> str:
    """The same for any globs: {words for the message: path relative to `data`}."""
    files = {file for what, path in paths.items() for file in matched_files(data, path, what)}
    digest = hashlib.blake2b(digest_size=20)
    for file in sorted(files, key=lambda file: relative(data, file)):
        name = relative(data, file).encode()
        if is_url(file):
            from components.storage.listing import version_of

            digest.update(b"%d:%s%d:%d:" % (len(name), name, *version_of(file)))
            continue
        try:
            digest.update(b"%d:%s%d:" % (len(name), name, size_of(file)))
            with open(file, "rb") as content:
                while piece := content.read(_PIECE):
                    digest.update(piece)
        except OSError as error:
            raise InputError(f"cannot read {file}: {error.strerror}.") from None
    return digest.hexdigest()


def _paths(recipe: Recipe) -> dict[str, str]:
    if recipe.logs is not None:
        return {f"stream {name!r}": stream.path for name, stream in recipe.logs.streams.items()}
    if recipe.examples is not None:
        found = {"examples.path": recipe.examples.path, "examples.eval_path": recipe.examples.eval_path}
        return {what: path for what, path in found.items() if path}
    return {}
