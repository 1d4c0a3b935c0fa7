"""The size of the layers with which an architecture has as large a network as another."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any

from models.architectures import ARCHITECTURES
from models.recipe.recipe import Recipe
from models.recipe.registry import check_options, defaults, path_of, signature

INHERITED = ("units", "tower_units", "activation", "dropout")
"""Options that an architecture without options in the recipe takes from the recipe's own architecture."""

SIZES = ("units", "tower_units", "task_units", "level_units", "gate_units", "mask_units")
"""Options that are layer sizes, and that change together."""

TOLERANCE = 0.02
"""Largest relative difference from the budget that counts as the same size."""

SMALLEST, LARGEST = 2.0**-7, 2.0**7
_STEPS, _SPAN, _LAYERS = 18, 2, 3


def options_of(recipe: Recipe) -> dict[str, Any]:
    """All options of the recipe's architecture, converted to their types.

    Args:
        recipe: recipe with the architecture of the method.
    """
    name = recipe.model.architecture
    path = path_of(name, ARCHITECTURES, "architecture")
    return check_options(defaults(path) | dict(recipe.model.options.get(name, {})), path, name)


def inherited(recipe: Recipe, architecture: str) -> dict[str, Any]:
    """What an architecture without options in the recipe takes from the recipe's own: its `INHERITED` options.

    Each method then has layers of the shape that the recipe's author chose for these logs.
    """
    own = recipe.model.architecture
    if architecture == own or architecture in recipe.model.options:
        return {}
    known = signature(path_of(architecture, ARCHITECTURES, "architecture"))
    theirs = options_of(recipe)
    return {option: theirs[option] for option in INHERITED if option in known and option in theirs}


def scaled(options: Mapping[str, Any], factor: float) -> dict[str, Any]:
    """The options with all layer sizes times a factor, rounded to whole units and at least 1."""

    def times(value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(times(size) for size in value)
        return max(1, round(value * factor))

    return {name: times(value) if name in SIZES else value for name, value in options.items()}


def matched_options(options: Mapping[str, Any], size_of: Callable[[Mapping[str, Any]], float], budget: float) -> Any:
    """The options with the layer sizes whose network is nearest to the budget.

    Bisects the factor of all sizes. If the nearest network is more than `TOLERANCE` away, tries up to 2 units more or fewer in each
    of the last layers. Options without sizes, and a network of the budget's size, are returned unchanged.

    Args:
        options: all options of the architecture.
        size_of: options -> size of the network in the unit of the budget; rises with the layers.
        budget: wanted size.
    """
    tried: dict[str, tuple[float, dict[str, Any]]] = {}

    def distance(candidate: dict[str, Any]) -> float:
        key = repr(candidate)
        if key not in tried:
            tried[key] = (size_of(candidate), candidate)
        return abs(tried[key][0] - budget)

    start = dict(options)
    if not any(start.get(name) for name in SIZES) or distance(start) == 0.0:
        return start
    low, high = SMALLEST, LARGEST
    for _ in range(_STEPS):
        middle = (low * high) ** 0.5
        candidate = scaled(start, middle)
        distance(candidate)
        low, high = (middle, high) if tried[repr(candidate)][0] < budget else (low, middle)
    nearest = min((candidate for _, candidate in tried.values()), key=distance)
    if distance(nearest) > TOLERANCE * budget:
        nearest = min(_around(nearest), key=distance)
    return nearest


def _around(options: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The options with the last layers moved by a few units, nearest first."""
    places = [
        (name, index)
        for name in SIZES
        for index in (range(len(options[name])) if isinstance(options.get(name), tuple) else [None])
        if options.get(name)
    ][-_LAYERS:]
    moves = itertools.product(range(-_SPAN, _SPAN + 1), repeat=len(places))
    return [_moved(options, places, move) for move in sorted(moves, key=lambda move: (sum(map(abs, move)), move))]


def _moved(options: Mapping[str, Any], places: list[tuple[str, Any]], move: tuple[int, ...]) -> dict[str, Any]:
    found = dict(options)
    for (name, index), step in zip(places, move, strict=True):
        if index is None:
            found[name] = max(1, found[name] + step)
        else:
            sizes = list(found[name])
            sizes[index] = max(1, sizes[index] + step)
            found[name] = tuple(sizes)
    return found
