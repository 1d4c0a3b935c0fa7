"""Checks of the recipe's source, and of the values in all sections."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from models.recipe.checks.problem import Problem
from models.recipe.errors import InputError, masked
from models.recipe.locations import SECRET, bucket_and_key, has_secret, is_url
from models.recipe.recipe import Recipe

_OF_DATA = {"where", "positive", "slice", "nulls"}
"""Keys with values from the data, which may be any URL."""


def source_problems(recipe: Recipe) -> Iterator[Problem]:
    if (recipe.logs is None) == (recipe.examples is None):
        both = "both" if recipe.logs else "neither"
        yield (), f"expected either 'logs' (event streams) or 'examples' (already labelled), received {both}."
    if recipe.name == "serving":
        yield ("name",), "'serving' is reserved for the folder of the pushed models. Choose another name."


def data_problems(recipe: Recipe) -> Iterator[Problem]:
    if is_url(recipe.data):
        try:
            bucket_and_key(recipe.data)
        except InputError as error:
            yield ("data",), str(error)


def value_problems(recipe: Recipe) -> Iterator[Problem]:
    """Integers too large for an array or a random generator, and secrets in the recipe: (location of the key, message)."""

    def check(value: object, location: tuple[str | int, ...]) -> Iterator[Problem]:
        if isinstance(value, Mapping | list | tuple):
            for key, inner in value.items() if isinstance(value, Mapping) else enumerate(value):
                yield from check(inner, (*location, key))
        elif isinstance(value, str) and location[:1] != ("data",) and not _OF_DATA & {*location} and has_secret(value):
            yield location, f"{masked(value)}: {SECRET}"
        elif isinstance(value, int) and not -(2**63) <= value < 2**63:
            yield location, f"expected a whole number of 64 bits, received one of {value.bit_length()} bits."

    yield from check(recipe.model_dump(by_alias=True), ())
    if 2**32 <= recipe.training.seed < 2**63:
        yield ("training", "seed"), f"expected a whole number below {2**32}, received {recipe.training.seed}."
