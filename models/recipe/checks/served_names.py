"""Checks of a recipe's names against the names reserved by gatewise, the formulas and the served model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from models.recipe.argument_names import argument_names, is_argument_name
from models.recipe.checks.problem import Problem
from models.recipe.cross import Cross
from models.recipe.errors import InputError
from models.recipe.features import Feature, columns_of, feature_columns
from models.recipe.formula import RANK_OUTPUTS, parse
from models.recipe.recipe import Recipe

OWN = "gatewise/"
"""Prefix of the columns that gatewise adds to the examples."""


def name_problems(recipe: Recipe) -> Iterator[Problem]:
    """Columns, tasks and weights with reserved or duplicate names: (location of the key, message)."""
    yield from _columns(recipe)
    yield from _cases(("features",), recipe.features)
    yield from _cases(("serving", "weights"), recipe.serving.weights)
    yield from _tasks(recipe)
    yield from _weights(recipe)


def _columns(recipe: Recipe) -> Iterator[Problem]:
    of_tasks = {f"{part}/{task}" for task in recipe.tasks for part in ("label", "weight")}
    evaluation = recipe.evaluation
    read: list[tuple[tuple[str | int, ...], str]] = [
        (("features", name, *_place(feature)), column)
        for name, feature in recipe.features.items()
        for column in columns_of(name, feature)
    ]
    for index, entry in enumerate(evaluation.slices):
        read += [(("evaluation", "slices", index, place), column) for place, column in enumerate(entry)]
    if evaluation.group_key is not None:
        read.append((("evaluation", "group_key"), evaluation.group_key))
    if recipe.retrieval is not None:
        read += [(("retrieval", key), getattr(recipe.retrieval, key)) for key in ("user", "item")]
    for location, column in read:
        if column in of_tasks or column.startswith(OWN):
            yield (
                location,
                f"the name of the column {column!r} is reserved: the examples use label/TASK, weight/TASK and names that "
                f"begin with {OWN}. Rename the column in the log.",
            )


def _place(feature: Feature) -> tuple[str, ...]:
    """The key of the column in a feature, if it is written."""
    if isinstance(feature, Cross):
        return ("columns",)
    return ("column",) if feature.column else ()


def _cases(at: tuple[str, ...], names: Iterable[str]) -> Iterator[Problem]:
    first: dict[str, str] = {}
    for name in names:
        other = first.setdefault(name.lower(), name)
        if other != name:
            yield (
                (*at, name),
                f"differs from {other!r} only in case, and TensorFlow ignores case in the names of a signature. "
                "Choose another name; a feature's 'column' can stay.",
            )


def _tasks(recipe: Recipe) -> Iterator[Problem]:
    for task in recipe.tasks:
        if task in RANK_OUTPUTS:
            yield (
                ("tasks", task),
                f"the signature `rank` already has an output of this name. Choose a name other than "
                f"{' and '.join(map(repr, RANK_OUTPUTS))}.",
            )
    first = next(iter(recipe.main_tasks), "")
    if first and recipe.serving.score is None and not _is_in_formulas(first):
        yield (
            ("tasks", first),
            f"without serving.score the first task is the score, but {first!r} is a Python keyword and cannot be in a formula. "
            "Rename the task, put another task first, or set serving.score.",
        )


def _weights(recipe: Recipe) -> Iterator[Problem]:
    columns = feature_columns(recipe.features)
    arguments = {argument.lower(): column for column, argument in argument_names(columns).items()}
    for weight in recipe.serving.weights:
        at = ("serving", "weights", weight)
        for what, taken in (("task", recipe.tasks), ("column", columns)):
            if weight in taken:
                yield at, f"a {what} already has this name. Choose another name for the weight."
        if weight not in columns and weight.lower() in arguments:
            yield (
                at,
                f"the column {arguments[weight.lower()]!r} already has this name in the signature `rank`, which ignores case. "
                "Choose another name for the weight.",
            )
        if not is_argument_name(weight):
            yield (
                at,
                f"{weight!r} is reserved by Python or TensorFlow and cannot be the name of an input. Choose another name.",
            )


def _is_in_formulas(task: str) -> bool:
    try:
        parse(task, (task,))
    except InputError:
        return False
    return True
