"""Finds and removes the names of tasks and features in the options of methods."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from models.recipe.registry import json_schema, signature


def names_in(path: str, option: str, value: Any, kind: str) -> list[str]:
    """The names of tasks or features in the value of an option: those of its parts that have the type TaskName or FeatureName.

    Parts are the items of a list, and the keys and values of a dict.

    Args:
        path: dotted path of the class.
        option: one of its options.
        value: of the option's type.
        kind: "task" or "feature".
    """
    return _names_in(json_schema(signature(path)[option][0]), value, kind)


def _names_in(schema: Mapping[str, Any], value: Any, kind: str) -> list[str]:
    parts: list[tuple[str, Any]] = []
    if isinstance(value, Mapping):
        parts = [*(("propertyNames", key) for key in value), *(("additionalProperties", one) for one in value.values())]
    elif isinstance(value, list | tuple):
        parts = [("items", one) for one in value]
    elif schema.get("format") == kind:
        return [value]
    typed = [(schema[part], one) for part, one in parts if isinstance(schema.get(part), Mapping)]
    return [name for part, one in typed for name in _names_in(part, one, kind)]


def only_names(path: str, option: str, value: Any, kind: str, kept: Collection[str]) -> Any:
    """The value of an option without the parts that name other tasks or features than the kept ones.

    A list loses its items, and a dict its entries; a list of lists also loses those that become empty.

    Args:
        path, option, value, kind: as in `names_in`.
        kept: names of the tasks or features to keep.

    Returns:
        The value; None if it is itself a name that is not kept, or if nothing is left of it.
    """
    left = _only(json_schema(signature(path)[option][0]), value, kind, kept)
    return None if left is _GONE or (left != value and not left) else left


_GONE = object()


def _only(schema: Mapping[str, Any], value: Any, kind: str, kept: Collection[str]) -> Any:
    if isinstance(value, Mapping):
        keys, inner = schema.get("propertyNames"), schema.get("additionalProperties")
        pairs = [(_inside(keys, key, kind, kept), _inside(inner, one, kind, kept)) for key, one in value.items()]
        return {key: one for key, one in pairs if key is not _GONE and one is not _GONE}
    if isinstance(value, list | tuple):
        items = [(item, _inside(schema.get("items"), item, kind, kept)) for item in value]
        return [left for item, left in items if left is not _GONE and (left == item or left != [])]
    return _GONE if schema.get("format") == kind and value not in kept else value


def _inside(schema: Any, value: Any, kind: str, kept: Collection[str]) -> Any:
    return _only(schema, value, kind, kept) if isinstance(schema, Mapping) else value
