"""The checks of a recipe's source, and of its values in every section."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from models.recipe.checks.problem import Problem
from models.recipe.errors import InputError, masked
from models.recipe.locations import SECRET, bucket_and_key, has_secret, is_url
from models.recipe.recipe import Recipe

_OF_DATA = {"where", "positive", "slice", "nulls"}
"""Keys that hold values of the data, which may be URLs of any kind."""


def source_problems(recipe: Recipe) -> Iterator[Problem]:
    if (recipe.logs is None) == (recipe.examples is None):
        both = "both" if recipe.logs else "neither"
        yield (), f"expected either 'logs' (event streams) or 'examples' (already labelled), received {both}."
    if recipe.name == "serving":
        yield ("name",), "'serving' is the folder of the pushed models, beside the recipes' own. Choose another."


def data_problems(recipe: Recipe) -> Iterator[Problem]:
    if is_url(recipe.data):
        try:
            bucket_and_key(recipe.data)
        except InputError as error:
            yield ("data",), str(error)


def value_problems(recipe: Recipe) -> Iterator[Problem]:
    """What no array and no random generator holds would end in a crash somewhere on the way; a secret in what many read."""

    def check(value: object, location: tuple[str | int, ...]) -> Iterator[Problem]:
        if isinstance(value, Mapping | list | tuple):
            for key, inner in value.items() if isinstance(value, Mapping) else enumerate(value):
                yield from check(inner, (*location, key))
        elif isinstance(value, str) and location[:1] != ("data",) and not _OF_DATA & {*location} and has_secret(value):
            yield location, f"{masked(value)}: {SECRET}"
        elif isinstance(value, int) and not -(2**63) <= value < 2**63:
            yield location, f"expected a whole number of 64 bits, received one of {value.bit_length()}."

    yield from check(recipe.model_dump(by_alias=True), ())
    if 2**32 <= recipe.training.seed < 2**63:
        yield ("training", "seed"), f"expected a whole number below {2**32}, received {recipe.training.seed}."
