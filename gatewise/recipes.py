"""Recipes in Python."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any

import pydantic
import yaml

from models.files.whole_file import write_whole
from models.recipe.errors import InputError
from models.recipe.file import load_recipe
from models.recipe.locations import is_url
from models.recipe.recipe import Recipe as _Recipe

Overrides = Mapping[str, Any] | Sequence[str]
"""{"section.key": value}, or the texts "section.key=value" of the command line's `--set`."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Origin:
    """Where a recipe comes from.

    Attributes:
        file: its file; None if it was loaded from a dict.
        text: the dict as YAML; "" if it was loaded from a file.
        overrides: texts "section.key=value".
        data: folder or URL in place of the recipe's `data`.
    """

    file: Path | None
    text: str
    overrides: tuple[str, ...]
    data: str | None


class Recipe(_Recipe):
    """A checked recipe. Its attributes are the sections of docs/recipe.md, such as `recipe.tasks` and `recipe.training.epochs`.

    Load it with `Recipe.load`. A recipe cannot be changed: load it again with other values of `set`.

    Example:
        recipe = gatewise.Recipe.load("recipes/shop.yaml", set={"model.architecture": "ple"})
        list(recipe.tasks)
    """

    _origin: Origin | None = pydantic.PrivateAttr(default=None)

    @classmethod
    def load(
        cls, source: str | Path | Mapping[str, Any], set: Overrides = (), data: str | Path | None = None
    ) -> Recipe:
        """Loads a recipe and checks every key, name, window and option of it. Reads no data.

        Args:
            source: the YAML file, or its content as a dict. Relative paths in a file begin at its folder, those in a dict at the
                working directory.
            set: values that override the recipe's: {"section.key": value}, or texts "section.key=value".
            data: folder or URL of the data files, in place of the recipe's `data`. Relative to the working directory.

        Raises:
            InputError: the recipe has errors. The message lists all of them.

        Example:
            gatewise.Recipe.load("recipes/shop.yaml", set={"training.seed": 2})
        """
        overrides = texts_of(set)
        where = None if data is None else str(data) if is_url(str(data)) else str(Path(data).resolve())
        if isinstance(source, Mapping):
            return cls._loaded(Origin(file=None, text=_as_yaml(source), overrides=overrides, data=where))
        return cls._loaded(Origin(file=Path(source).resolve(), text="", overrides=overrides, data=where))

    @classmethod
    def _loaded(cls, origin: Origin) -> Recipe:
        if origin.file is not None:
            checked = load_recipe(origin.file, origin.overrides, origin.data)
        else:
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder) / "recipe.yaml"
                file.write_text(origin.text, encoding="utf-8")
                try:
                    checked = load_recipe(file, origin.overrides, origin.data)
                except InputError as error:
                    # The lines of the temporary file mean nothing to whoever wrote the dict.
                    raise InputError(re.sub(rf"{re.escape(str(file))}(:\d+)?", "recipe", str(error))) from None
        values = {name: getattr(checked, name) for name in type(checked).model_fields}
        made = cls.model_construct(_fields_set=checked.model_fields_set, **values)
        made._origin = origin
        return made


def as_recipe(
    recipe: Recipe | str | Path | Mapping[str, Any], set: Overrides = (), data: str | Path | None = None
) -> Recipe:
    """A recipe from what a function takes as one, with more overrides. Arguments and errors: as `Recipe.load`."""
    if not isinstance(recipe, Recipe):
        return Recipe.load(recipe, set, data)
    origin = _origin_of(recipe)
    more = texts_of(set)
    if not more and data is None:
        return recipe
    source: Any = origin.file if origin.file is not None else yaml.safe_load(origin.text)
    return Recipe.load(source, (*origin.overrides, *more), data if data is not None else origin.data)


def file_of(recipe: Recipe, home: Path) -> tuple[Path, Origin]:
    """The file of a recipe, for a command, and its origin. That of a dict is written to `home`/recipes.

    Raises:
        InputError: the recipe is not what its file says, because either was changed after `Recipe.load`.
    """
    origin = _origin_of(recipe)
    file = origin.file
    if file is None:
        file = home / "recipes" / f"{hashlib.sha256(origin.text.encode()).hexdigest()[:16]}.yaml"
        try:
            write_whole(file, origin.text)
        except OSError as error:
            raise InputError(f"{file}: cannot be written ({error.strerror}). Choose another root.") from None
    if load_recipe(file, origin.overrides, origin.data).model_dump() != recipe.model_dump():
        raise InputError(
            f"{file}: expected the recipe that was loaded from it, found another one: the file or the recipe was changed "
            "since then. Load it again with Recipe.load, and change values by its argument `set`."
        )
    return file, origin


def texts_of(overrides: Overrides) -> tuple[str, ...]:
    """Overrides as texts "section.key=value".

    Raises:
        InputError: they are neither a mapping nor texts, or a value has no JSON.
    """
    if isinstance(overrides, Mapping):
        try:
            return tuple(f"{key}={json.dumps(value)}" for key, value in overrides.items())
        except (TypeError, ValueError) as error:
            raise InputError(f"set: expected texts, numbers, truth values, lists and dicts: {error}.") from None
    if isinstance(overrides, str) or not all(isinstance(one, str) for one in overrides):
        raise InputError(
            f"set: expected {{'section.key': value}} or a list of texts 'section.key=value', received {overrides!r}."
        )
    return tuple(overrides)


def _origin_of(recipe: Recipe) -> Origin:
    if recipe._origin is None:
        raise InputError("expected a recipe of Recipe.load, received one that was made in another way.")
    return recipe._origin


def _as_yaml(values: Mapping[str, Any]) -> str:
    """The content of a recipe's file, with absolute paths."""
    made = dict(values)
    data = made.get("data", ".")
    if isinstance(data, str | Path) and not is_url(str(data)):
        made["data"] = str(Path(data).resolve())
    validation = made.get("validation")
    if isinstance(validation, Mapping) and isinstance(validation.get("schema"), str | Path):
        made["validation"] = {**validation, "schema": str(Path(validation["schema"]).resolve())}
    try:
        return str(yaml.dump(made, Dumper=_Dumper, sort_keys=False, allow_unicode=True))
    except yaml.representer.RepresenterError as error:
        kind = type(error.args[-1]).__name__
        raise InputError(
            f"recipe: expected texts, numbers, truth values, lists and dicts, received a value of type {kind}."
        ) from None


class _Dumper(yaml.SafeDumper):
    """Also takes tuples, mappings of any class and paths."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


_Dumper.add_multi_representer(tuple, lambda dumper, value: dumper.represent_list(value))
_Dumper.add_multi_representer(Mapping, lambda dumper, value: dumper.represent_dict(value))  # type: ignore[type-abstract]
_Dumper.add_multi_representer(PurePath, lambda dumper, value: dumper.represent_str(str(value)))
