"""The files of a folder as sources: files with the same columns that one path or glob of a recipe reads."""

from __future__ import annotations

import dataclasses
import os
import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from components.event_logs.files import FORMATS, format_of, is_compressed
from components.storage.finding import matching
from models.recipe.errors import InputError

_NUMBERS = re.compile(r"\d+(?:[-_T:.]?\d+)*")
_PARTITION = re.compile(r"[^=]+=.*|\d{1,4}(?:[-_]?\d{2}){0,3}(?:T\d+)?")
_HEX = re.compile(r"[0-9a-f]{8}(?:-?[0-9a-f]{4,12}){3,4}(?:-c\d+)?")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Source:
    """Files of one kind.

    Attributes:
        name: from the file or the folder, in the singular; a valid name of a stream.
        path: file or glob, relative to the folder.
        files: absolute paths, sorted.
        format: parquet, csv or jsonl.
    """

    name: str
    path: str
    files: tuple[str, ...]
    format: str


def find_sources(folder: Path) -> list[Source]:
    """The sources of a folder, by path. Names that begin with `_` or `.` and files of other endings are left out.

    A folder whose name is a partition (`dt=2026-01-01`, `2026-01-01`, `05`) belongs to the folder above it. Files of one folder whose
    names differ only in numbers are one source.

    Raises:
        InputError: the folder does not exist, or has no file that gatewise reads.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: is not a folder; expected a folder with logs.")
    groups: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for at, folders, files in os.walk(folder, followlinks=True):
        folders[:] = sorted(name for name in folders if name[0] not in "._")
        for name in sorted(files):
            if name[0] in "._" or not _known(name):
                continue
            inner = Path(at, name).relative_to(folder)
            above = inner.parent.parts
            while above and _PARTITION.fullmatch(above[-1]):
                above = above[:-1]
            depth = len(inner.parent.parts) - len(above)
            pattern = _NUMBERS.sub("*", _HEX.sub("*", _stem(name)))
            groups["/".join(above), pattern if depth == 0 else "*", _ending(name)].append(str(inner))
    if not groups:
        raise InputError(
            f"{folder}: no file that gatewise reads; expected Parquet, CSV or JSON Lines files with the endings "
            f"{', '.join(FORMATS)} (also .csv.gz and similar). Choose the folder of the logs."
        )
    taken: set[str] = set()
    alone = {above for above, *_ in groups if [other for other, *_ in groups].count(above) == 1}
    found = [_source(folder, *key, files, key[0] in alone, taken) for key, files in sorted(groups.items())]
    return sorted(found, key=lambda source: source.path)


def plain_name(text: str, taken: Iterable[str] = ()) -> str:
    """A valid name of a stream, task or feature: letters, digits and underscores, in lower case."""
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", text)
    name = re.sub(r"\W+|_+", "_", name, flags=re.ASCII).strip("_").lower() or "events"
    name = (name if name[0].isalpha() else f"x_{name}")[:60].strip("_")
    first, number, used = name, 2, set(taken)
    while name in used:
        name, number = f"{first}_{number}", number + 1
    return name


def _source(
    folder: Path, above: str, pattern: str, ending: str, files: list[str], alone: bool, taken: set[str]
) -> Source:
    depths = {len(Path(file).parts) - len(Path(above).parts) - 1 for file in files}
    if files == [f"{above}/{Path(files[0]).name}".strip("/")]:
        path = _escaped(files[0])
    else:
        middle = "*/" * depths.pop() if len(depths) == 1 else "**/"
        path = f"{_escaped(above)}/{middle}{pattern}{ending}".strip("/")
    absolute = tuple(sorted(str((folder / file).absolute()) for file in files))
    matched = matching(str(folder.absolute()), path)
    if sorted(matched) != list(absolute):
        raise InputError(
            f"{folder}: no glob reads {files[0]} and the {len(files) - 1} files like it without {len(matched)} others. Move each "
            "stream into a folder of its own."
        )
    stem = pattern.replace("*", "").strip("-_. ")
    name = plain_name(_singular((Path(above).name if above and (alone or not stem) else stem) or folder.name), taken)
    taken.add(name)
    return Source(name=name, path=path, files=absolute, format=format_of(files[0], None, files[0]))


def _singular(name: str) -> str:
    return name[:-1] if name.endswith("s") and not name.endswith(("ss", "us", "is", "news")) and len(name) > 3 else name


def _escaped(path: str) -> str:
    return re.sub(r"([\[*?{])", r"[\1]", path)


def _ending(name: str) -> str:
    ending = os.path.splitext(name)[1]
    return os.path.splitext(name[: -len(ending)])[1] + ending if is_compressed(name) else ending


def _stem(name: str) -> str:
    return _escaped(name.removesuffix(_ending(name)))


def _known(name: str) -> bool:
    ending = _ending(name).lower()
    return any(ending.startswith(known) for known in FORMATS)
