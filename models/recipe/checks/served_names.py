"""The checks of a recipe's names against those that gatewise, the formulas and the served model need for themselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from models.recipe.argument_names import argument_names, is_argument_name
from models.recipe.checks.problem import Problem
from models.recipe.errors import InputError
from models.recipe.features import column_of, feature_columns
from models.recipe.formula import RANK_OUTPUTS, parse
from models.recipe.recipe import Recipe

OWN = "gatewise/"
"""What the columns that gatewise adds to the examples begin with."""


def name_problems(recipe: Recipe) -> Iterator[Problem]:
    """Columns, tasks and weights whose names are taken, each with its place in the recipe."""
    yield from _columns(recipe)
    yield from _cases(("features",), recipe.features)
    yield from _cases(("serving", "weights"), recipe.serving.weights)
    yield from _tasks(recipe)
    yield from _weights(recipe)


def _columns(recipe: Recipe) -> Iterator[Problem]:
    of_tasks = {f"{part}/{task}" for task in recipe.tasks for part in ("label", "weight")}
    evaluation = recipe.evaluation
    read: list[tuple[tuple[str | int, ...], str]] = [
        (("features", name, *(("column",) if feature.column else ())), column_of(name, feature))
        for name, feature in recipe.features.items()
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
                f"the column {column!r} has a name that the examples need for themselves: label/TASK, weight/TASK and what "
                f"begins with {OWN}. Rename it in the log.",
            )


def _cases(at: tuple[str, ...], names: Iterable[str]) -> Iterator[Problem]:
    first: dict[str, str] = {}
    for name in names:
        other = first.setdefault(name.lower(), name)
        if other != name:
            yield (
                (*at, name),
                f"differs from {other!r} in small and capital letters only, which are the same to TensorFlow in the names of "
                "a signature. Choose another name; a feature's 'column' stays as it is.",
            )


def _tasks(recipe: Recipe) -> Iterator[Problem]:
    for task in recipe.tasks:
        if task in RANK_OUTPUTS:
            yield (
                ("tasks", task),
                f"the signature `rank` has an output of this name besides the tasks. Choose another than "
                f"{' and '.join(map(repr, RANK_OUTPUTS))}.",
            )
    first = next(iter(recipe.tasks))
    if recipe.serving.score is None and not _is_in_formulas(first):
        yield (
            ("tasks", first),
            f"{first!r} is a word of Python, which no formula can name, and without serving.score the first task is the score. "
            "Choose another name, put another task first, or write a score of the others.",
        )


def _weights(recipe: Recipe) -> Iterator[Problem]:
    columns = feature_columns(recipe.features)
    arguments = {argument.lower(): column for column, argument in argument_names(columns).items()}
    for weight in recipe.serving.weights:
        at = ("serving", "weights", weight)
        for what, taken in (("task", recipe.tasks), ("column", columns)):
            if weight in taken:
                yield at, f"a {what} has this name. Choose another for the weight."
        if weight not in columns and weight.lower() in arguments:
            yield (
                at,
                f"the column {arguments[weight.lower()]!r} has this name in the signature `rank`, where small and capital "
                "letters are the same. Choose another for the weight.",
            )
        if not is_argument_name(weight):
            yield at, f"{weight!r} is a word of Python or TensorFlow, which no input can be called. Choose another."


def _is_in_formulas(task: str) -> bool:
    try:
        parse(task, (task,))
    except InputError:
        return False
    return True
