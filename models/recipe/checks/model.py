"""Checks of the sections `model` and `training`: names and options of the methods."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from models.architectures import ARCHITECTURES
from models.backbones import BACKBONES
from models.balancing import BALANCERS
from models.embedding_optimizers import EMBEDDING_OPTIMIZERS
from models.recipe.checks.problem import Problem
from models.recipe.errors import InputError
from models.recipe.recipe import Recipe
from models.recipe.registry import check_options, known, path_of
from models.regularizers import REGULARIZERS


def model_problems(recipe: Recipe) -> Iterator[Problem]:
    model = recipe.model
    for key, name, table, options in (
        ("architecture", model.architecture, ARCHITECTURES, ("options", model.options)),
        ("backbone", model.backbone, BACKBONES, ("backbone_options", model.backbone_options)),
        ("balancer", model.balancer, BALANCERS, ("balancer_options", model.balancer_options)),
    ):
        yield from _method(("model", key), name, table, key)
        yield from _options(("model", options[0]), options[1], table, key)
    yield from _options(("model", "regularizers"), model.regularizers, REGULARIZERS, "regularizer")


def training_problems(recipe: Recipe) -> Iterator[Problem]:
    name = recipe.training.embedding_optimizer
    if name is not None and name not in EMBEDDING_OPTIMIZERS:
        yield (
            ("training", "embedding_optimizer"),
            f"unknown embedding optimizer {name!r}; {known(name, EMBEDDING_OPTIMIZERS)}",
        )


def _method(at: tuple[str | int, ...], name: str, table: Mapping[str, str], what: str) -> Iterator[Problem]:
    try:
        path_of(name, table, what)
    except InputError as error:
        yield at, str(error)


def _options(at: tuple[str | int, ...], options: object, table: dict[str, str], what: str) -> Iterator[Problem]:
    for name, values in dict(options).items():  # type: ignore[call-overload]
        problems = list(_method((*at, name), name, table, what))
        yield from problems
        if problems:
            continue
        for option, value in values.items():
            try:
                check_options({option: value}, path_of(name, table, what), ".".join(map(str, (*at, name))))
            except InputError as error:
                yield (*at, name, option), str(error).split(": ", 1)[1]
