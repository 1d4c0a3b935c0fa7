"""Renamed keys of a recipe. The old names still work."""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping
from typing import Any

from models.recipe.errors import InputError
from models.recipe.yaml_document import Document, Location

RENAMED: dict[tuple[str, ...], str] = {
    ("features", "*", "compositional"): "quotient_remainder",
    ("tasks", "*", "given"): "conditioned_on",
    ("model", "penalties"): "regularizers",
    ("training", "table_optimizer"): "embedding_optimizer",
    ("training", "table_learning_rate"): "embedding_learning_rate",
    ("retrieval", "max_questions"): "max_queries",
}
"""{old key, `*` for any name: new key of the same section}."""


def rename_keys(
    document: Document, origin: MutableMapping[Location, str], where: Callable[[Location], str]
) -> list[str]:
    """Renames the old keys of a document in place.

    Args:
        document: document of a recipe.
        origin: origins of the locations in the document. They are renamed, too.
        where: function from a location to the prefix of a message.

    Returns:
        One message for each old key.

    Raises:
        InputError: a section has both names of a key.
    """
    messages = []
    for pattern, new in RENAMED.items():
        for section, values in list(_sections(document.value, pattern[:-1], ())):
            old = pattern[-1]
            if old not in values:
                continue
            location = (*section, old)
            if new in values:
                raise InputError(
                    f"{where(location)}the key was renamed to {new!r}, and both are present. Remove {old!r}."
                )
            messages.append(f"{where(location)}the key was renamed to {new!r}; the old name still works.")
            renamed = {(new if key == old else key): value for key, value in values.items()}
            values.clear()
            values.update(renamed)
            for places in (document.lines, document.written, origin):
                _move(places, location, (*section, new))
    return messages


def new_names(keys: tuple[str, ...]) -> tuple[str, ...]:
    """Replaces old keys in a location by their new names."""
    for pattern, new in RENAMED.items():
        head = keys[: len(pattern)]
        if len(head) == len(pattern) and all(part in ("*", key) for part, key in zip(pattern, head, strict=True)):
            return (*head[:-1], new, *keys[len(pattern) :])
    return keys


def _sections(value: Any, pattern: Location, location: Location) -> Iterator[tuple[Location, dict[str, Any]]]:
    """Sections that match a pattern, with their locations."""
    if not isinstance(value, dict):
        return
    if not pattern:
        yield location, value
        return
    for key in list(value) if pattern[0] == "*" else [pattern[0]]:
        yield from _sections(value.get(key), pattern[1:], (*location, key))


def _move(places: MutableMapping[Location, Any], old: Location, new: Location) -> None:
    for location in [location for location in places if location[: len(old)] == old]:
        places[(*new, *location[len(old) :])] = places.pop(location)
