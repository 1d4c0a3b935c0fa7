"""Checks of the section `validation`."""

from __future__ import annotations

import os.path
from collections.abc import Iterator
from pathlib import Path

from models.recipe.checks.problem import Problem
from models.recipe.features import feature_columns
from models.recipe.recipe import Recipe
from models.recipe.registry import known


def _is_text(path: str) -> bool:
    try:
        Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    return True


def validation_problems(recipe: Recipe) -> Iterator[Problem]:
    path = recipe.validation.schema_path
    if path is not None and not os.path.isfile(path):
        yield ("validation", "schema"), f"no such file: {path}. Expected a TFDV schema as text proto."
    elif path is not None and not _is_text(path):
        yield ("validation", "schema"), f"{path} is not UTF-8 text. Expected a TFDV schema as text proto."
    if recipe.validation.drift_from == "weekday" and (recipe.logs is None or recipe.logs.span is None):
        yield (
            ("validation", "drift_from"),
            "`weekday` compares days and needs `logs.span`. Set `span: 1d`, or remove the key.",
        )
    columns = [
        *feature_columns(recipe.features),
        *(f"{part}/{task}" for task in recipe.tasks for part in ("label", "weight")),
    ]
    for column in recipe.validation.drift:
        if column not in columns:
            yield ("validation", "drift", column), f"the examples have no column {column!r}; {known(column, columns)}"
