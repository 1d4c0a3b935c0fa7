"""The recipe of a method: the comparison's recipe with the method's names and the changes of a trial. Does not import TensorFlow."""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Iterable, Mapping
from typing import Any

from models.architectures import ARCHITECTURES
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
        return _loaded(self, more)


@functools.lru_cache(maxsize=256)
def _loaded(source: Source, more: tuple[str, ...]) -> Recipe:
    """Read once: each method asks for its recipe, and for the comparison's, several times."""
    return load_recipe(source.file, [*source.overrides, *more], source.data)


def selected(source: Source, method: Method, changes: Mapping[str, Any]) -> Recipe:
    """The recipe of a method with the changes of a trial (key, as in `--set`, -> value), before its layers are sized."""
    return source.recipe(*method.overrides, *_shape(source, method), *as_overrides(changes))


def check_methods(source: Source, methods: Iterable[Method]) -> None:
    """Checks the recipes of all methods.

    Raises:
        InputError: the recipe refuses methods; the message has all of them.
    """
    if refused := [reason for method in methods if (reason := _refusal(source, method))]:
        raise InputError(
            "compare: the recipe does not allow all methods. Leave these out, or change the recipe.\n"
            + "\n".join(refused)
        )


def _refusal(source: Source, method: Method) -> str:
    """Why the recipe does not allow a method; "" if it does."""
    try:
        selected(source, method, {})
    except InputError as error:
        return str(error)
    return ""


def as_overrides(changes: Mapping[str, Any]) -> tuple[str, ...]:
    """Changes as `--set` options."""
    return tuple(f"{key}={json.dumps(value)}" for key, value in changes.items())


def _shape(source: Source, method: Method) -> tuple[str, ...]:
    if "." in method.architecture:
        return ()
    found = inherited(source.recipe(), method.architecture)
    return (f"model.options.{method.architecture}={json.dumps(found)}",) if found else ()


def every_architecture(source: Source) -> list[str]:
    """The architectures that the recipe allows, without the linear model."""
    backbone = source.recipe().model.backbone
    return [name for name in ARCHITECTURES if name != "linear" and not _refusal(source, Method(name, backbone))]
