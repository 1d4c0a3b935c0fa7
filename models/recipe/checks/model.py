"""Checks of the sections `model` and `training`: names and options of the methods."""

from __future__ import annotations

from collections.abc import Iterator

from models.architectures import ARCHITECTURE, ARCHITECTURES
from models.backbones import BACKBONE, BACKBONES
from models.balancing import BALANCER, BALANCERS
from models.embedding_optimizers import EMBEDDING_OPTIMIZERS
from models.recipe.checks.options import option_problems
from models.recipe.checks.problem import Problem
from models.recipe.errors import InputError
from models.recipe.recipe import Recipe
from models.recipe.registry import facts, known, path_of
from models.recipe.tasks import after_of
from models.regularizers import REGULARIZERS


def model_problems(recipe: Recipe) -> Iterator[Problem]:
    model = recipe.model
    for key, name, table, type_, options in (
        ("architecture", model.architecture, ARCHITECTURES, ARCHITECTURE, ("options", model.options)),
        ("backbone", model.backbone, BACKBONES, BACKBONE, ("backbone_options", model.backbone_options)),
        ("balancer", model.balancer, BALANCERS, BALANCER, ("balancer_options", model.balancer_options)),
    ):
        try:
            about = facts(path_of(name, table, key), type_)
        except InputError as error:
            yield ("model", key), str(error)
        else:
            instead = about.get("instead_of_funnel", "")
            declared = any(map(after_of, recipe.tasks.values())) or options[1].get(name, {}).get(instead)
            if about.get("needs_funnel") and not declared:
                yield (
                    ("model", key),
                    f"{name!r} passes on what one task knows to the next, and no task follows another. Write `after: TASK` in "
                    f"the tasks that follow, {f'set its option `{instead}`, ' if instead else ''}or choose another architecture.",
                )
        yield from option_problems(("model", options[0]), options[1], table, key, recipe)
    yield from option_problems(("model", "regularizers"), model.regularizers, REGULARIZERS, "regularizer", recipe)


def training_problems(recipe: Recipe) -> Iterator[Problem]:
    name = recipe.training.embedding_optimizer
    if name is not None and name not in EMBEDDING_OPTIMIZERS:
        yield (
            ("training", "embedding_optimizer"),
            f"unknown embedding optimizer {name!r}; {known(name, EMBEDDING_OPTIMIZERS)}",
        )
