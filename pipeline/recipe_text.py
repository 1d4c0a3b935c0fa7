"""The text of a recipe that stands in another folder than the one that it was made from."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.recipe.locations import is_url
from models.recipe.recipe import Recipe


def with_paths_from(folder: Path, file: Path, recipe: Recipe, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values with paths relative to a folder, where they are relative to the recipe's file. `--data` of the command stays.

    Args:
        folder: folder of the new file.
        file: the recipe's file.
        recipe: the recipe, with absolute paths.
        values: its values, as the file has them.
    """
    made = dict(values)
    made["data"] = _path_from(folder, values.get("data", "."), recipe.data, file)
    if recipe.validation.schema_path is not None:
        schema = values["validation"]["schema"]
        path = _path_from(folder, schema, recipe.validation.schema_path, file)
        made["validation"] = {**values["validation"], "schema": path}
    return made


def _path_from(folder: Path, written: str, absolute: str, file: Path) -> str:
    if is_url(absolute) or os.path.isabs(written) or str((file.parent / written).resolve()) != absolute:
        return absolute
    return os.path.relpath(absolute, folder.resolve())
