"""Where the trials of a method look: first at what every method has, then at the method's own options."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from models.architectures import ARCHITECTURES
from models.backbones import BACKBONES
from models.balancing import BALANCERS
from models.recipe.recipe import Recipe
from models.recipe.registry import json_schema, path_of, signature
from models.recipe.search import Range
from pipeline.comparing.methods import FIXED, TWINS
from pipeline.comparing.sizing import SIZES, options_of

GENERAL = "dropout"
"""The architectures' option that belongs to what every method has."""

_LOGARITHMIC = {"Strength": 10.0, "Rate": 10.0, "LearningRate": 5.0, "Temperature": 4.0}
"""Type of an option -> factor around its value. A value of 0 switches the option off: it is not searched."""

_LINEAR = {"Asymmetry": 3.0, "Fairness": 2.0, "Smoothness": 3.0}
_COUNTS = ("ExpertCount", "Levels")
_NOT_SEARCHED = (*SIZES, GENERAL, "activation", "k", "over")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Space:
    """Key, as in `--set`, -> range. `general`: what every method has. `own`: the method's own options."""

    general: Mapping[str, Range]
    own: Mapping[str, Range]


def space_of(recipe: Recipe) -> Space:
    """The space around a recipe with the method's names.

    General are both learning rates' factor, the architecture's dropout, and the decays of the embeddings and of the kernels. A method's
    own options are those of its architecture, backbone and balancer, by their types; with fixed weights, the tasks' weights.
    The recipe's `search` replaces and adds ranges: options of methods are their own, everything else is general.

    Args:
        recipe: recipe with the method selected.
    """
    training, model = recipe.training, recipe.model
    general = {
        "training.learning_rate": _around(training.learning_rate, 5.0),
        "training.embedding_decay": _around(training.embedding_decay or 0.5, 5.0),
        "training.weight_decay": Range(low=1e-4, high=0.3, log=True),
    }
    if training.embedding_learning_rate is not None:
        general["training.embedding_learning_rate"] = _around(training.embedding_learning_rate, 5.0)
    architecture = options_of(recipe)
    if GENERAL in architecture:
        general[f"model.options.{model.architecture}.{GENERAL}"] = Range(low=0.0, high=0.4)
    sections = (
        ("model.options", model.architecture, ARCHITECTURES, architecture),
        ("model.backbone_options", model.backbone, BACKBONES, model.backbone_options.get(model.backbone, {})),
        ("model.balancer_options", model.balancer, BALANCERS, model.balancer_options.get(model.balancer, {})),
    )
    own: dict[str, Range] = {}
    for section, name, table, set_ in sections:
        for option, (annotation, default) in signature(path_of(name, table, section)).items():
            found = None if option in _NOT_SEARCHED else _of_option(annotation, set_.get(option, default))
            if found is not None and "." not in name:
                own[f"{section}.{name}.{option}"] = found
    if model.balancer == FIXED and model.architecture != TWINS:
        # The first task is the unit of the others.
        for task in list(recipe.tasks)[1:]:
            own[f"tasks.{task}.weight"] = _around(recipe.tasks[task].weight or 1.0, 4.0)
    for key, range_ in recipe.search.items():
        if _applies(key, recipe):
            (own if key in own or _is_own(key) else general)[key] = range_
    return Space(general=general, own=own)


def _of_option(annotation: str, value: Any) -> Range | None:
    """The range of an option around its value; None if its type has none."""
    if annotation in _LOGARITHMIC:
        return _around(value, _LOGARITHMIC[annotation]) if value else None
    if annotation in _LINEAR:
        return Range(low=value / _LINEAR[annotation], high=value * _LINEAR[annotation]) if value else None
    if annotation == "Share":
        return Range(low=max(0.0, value - 0.3), high=min(1.0, value + 0.3))
    if annotation == "Dropout":
        return Range(low=0.0, high=0.3)
    if annotation in _COUNTS:
        return Range(low=max(1, value // 2), high=max(2, 2 * value), integer=True)
    if annotation == "bool":
        return Range(choices=(False, True))
    choices = json_schema(annotation).get("enum")
    return Range(choices=tuple(choices)) if choices else None


def _around(value: float, factor: float) -> Range:
    return Range(low=value / factor, high=value * factor, log=True)


def _is_own(key: str) -> bool:
    return key.startswith(("model.options.", "model.backbone_options.", "model.balancer_options.")) or (
        key.startswith("tasks.") and key.endswith(".weight")
    )


def _applies(key: str, recipe: Recipe) -> bool:
    """Whether a key of `search` concerns the recipe's method."""
    chosen = {
        "model.options.": recipe.model.architecture,
        "model.backbone_options.": recipe.model.backbone,
        "model.balancer_options.": recipe.model.balancer,
    }
    return all(not key.startswith(section) or key.startswith(f"{section}{name}.") for section, name in chosen.items())
