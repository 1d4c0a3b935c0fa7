"""Finds the names of tasks and features in the options of methods."""

from __future__ import annotations

from collections.abc import Mapping
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
