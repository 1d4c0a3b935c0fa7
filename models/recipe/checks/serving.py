"""Checks of the section `serving`: the formula and its weights."""

from __future__ import annotations

from collections.abc import Iterator

from models.recipe.checks.problem import Problem
from models.recipe.errors import InputError
from models.recipe.formula import names, parse
from models.recipe.recipe import Recipe


def serving_problems(recipe: Recipe) -> Iterator[Problem]:
    serving, tasks = recipe.serving, tuple(recipe.main_tasks)
    if serving.score is None:
        if serving.weights:
            yield ("serving", "weights"), "weights need a formula: set 'score', or remove the weights."
    else:
        try:
            used = names(parse(serving.score, tasks, tuple(serving.weights)))
        except InputError as error:
            yield ("serving", "score"), str(error)
        else:
            for weight in serving.weights:
                if weight not in used:
                    yield ("serving", "weights", weight), "the formula in 'score' does not use this weight. Remove it."
    if serving.tunable_weights and not serving.weights:
        yield (
            ("serving", "tunable_weights"),
            "there is no weight to tune: add one to 'weights' and use it in 'score'.",
        )
