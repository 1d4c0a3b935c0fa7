"""Checks of `training.start: warm`: what cannot go on from night to night."""

from __future__ import annotations

from collections.abc import Iterator

from models.recipe.checks.problem import Problem
from models.recipe.recipe import Recipe


def night_problems(recipe: Recipe) -> Iterator[Problem]:
    evaluation = recipe.evaluation
    if recipe.training.start == "warm" and "references" in evaluation.model_fields_set and evaluation.references:
        yield (
            ("evaluation", "references"),
            "train from nothing, and the train split of a warm run holds only what is new since its ancestor. Remove the key; "
            "gates with `max_loss_to_baseline` compare with the model of the last night.",
        )
