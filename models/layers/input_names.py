"""Names of the numeric inputs of a feature: `feature`, or `feature/component` if it has several. Names of features have no slash."""

from __future__ import annotations


def component_name(feature: str, component: str) -> str:
    """The name of one of several numeric inputs of a feature."""
    return f"{feature}/{component}"


def input_of(column: str) -> str:
    """The name of a numeric input without its component."""
    return column.partition("/")[0]
