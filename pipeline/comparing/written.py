"""The recipe of a method, as a file that a person can read and edit."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path

from models.recipe.file import written_values
from pipeline.comparing.selection import Source
from pipeline.recipe_text import with_paths_from
from pipeline.yaml_edits import with_values


def recipe_text(source: Source, overrides: Sequence[str], file: Path, why: str) -> str:
    """The recipe's file with its comments, and with other values.

    Args:
        source: the recipe of the comparison.
        overrides: what makes the recipe of the method.
        file: where the text will be; its relative paths lead there.
        why: first lines of the text.
    """
    recipe = source.recipe(*overrides)
    values = written_values(Path(source.file), (*source.overrides, *overrides))
    values = with_paths_from(file.parent, Path(source.file), recipe, values)
    text = with_values(Path(source.file).read_text(encoding="utf-8"), values)
    return "".join(f"# {line}\n" for line in textwrap.wrap(why, 118)) + "\n" + text
