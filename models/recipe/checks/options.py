"""Checks of the options of methods: their names, types and ranges, and the tasks and features that they name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from models.recipe.checks.problem import Problem
from models.recipe.errors import InputError
from models.recipe.names_in_options import names_in
from models.recipe.recipe import Recipe
from models.recipe.registry import check_options, known, path_of


def option_problems(
    at: tuple[str | int, ...], options: Mapping[str, Any], table: Mapping[str, str], what: str, recipe: Recipe
) -> Iterator[Problem]:
    # A method has no adversarial tasks.
    names_of = {
        "task": [task for task, about in recipe.tasks.items() if about.role != "adversarial"],
        "feature": list(recipe.features),
    }
    for name, values in options.items():
        try:
            path = path_of(name, table, what)
        except InputError as error:
            yield (*at, name), str(error)
            continue
        for option, value in values.items():
            try:
                check_options({option: value}, path, ".".join(map(str, (*at, name))))
            except InputError as error:
                yield (*at, name, option), str(error).split(": ", 1)[-1]
                continue
            for kind, names in names_of.items():
                for each in names_in(path, option, value, kind):
                    if each not in names:
                        yield (*at, name, option), f"no {kind} is called {each!r}; {known(each, names)}"
