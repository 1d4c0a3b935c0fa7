"""The recipe of a method: the comparison's recipe with the method's names and the changes of a trial. Does not import TensorFlow."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from typing import Any

from models.recipe.errors import InputError
from models.recipe.file import load_recipe
from models.recipe.recipe import Recipe
from pipeline.comparing.methods import Method
from pipeline.comparing.sizing import inherited


@dataclasses.dataclass(frozen=True, kw_only=True)
class Source:
    """The recipe of a comparison: its file, and the options of the command."""

    file: str
    overrides: tuple[str, ...] = ()
    data: str | None = None

    def recipe(self, *more: str) -> Recipe:
        """The recipe with more overrides.

        Raises:
            InputError: the recipe has errors.
        """
        return load_recipe(self.file, [*self.overrides, *more], self.data)


def selected(source: Source, method: Method, changes: Mapping[str, Any]) -> Recipe:
    """The recipe of a method with the changes of a trial (key, as in `--set`, -> value), before its layers are sized."""
    return source.recipe(*method.overrides, *_shape(source, method), *as_overrides(changes))


def check_methods(source: Source, methods: Iterable[Method]) -> None:
    """Checks the recipes of all methods.

    Raises:
        InputError: the recipe refuses methods; the message has all of them.
    """
    refused = []
    for method in methods:
        try:
            selected(source, method, {})
        except InputError as error:
            refused.append(str(error))
    if refused:
        raise InputError(
            "compare: the recipe does not allow all methods. Leave these out, or change the recipe.\n"
            + "\n".join(refused)
        )


def as_overrides(changes: Mapping[str, Any]) -> tuple[str, ...]:
    """Changes as `--set` options."""
    return tuple(f"{key}={json.dumps(value)}" for key, value in changes.items())


def _shape(source: Source, method: Method) -> tuple[str, ...]:
    if "." in method.architecture:
        return ()
    found = inherited(source.recipe(), method.architecture)
    return (f"model.options.{method.architecture}={json.dumps(found)}",) if found else ()
