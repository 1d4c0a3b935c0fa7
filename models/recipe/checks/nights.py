"""Checks of `training.start: warm`: what cannot go on from night to night."""

from __future__ import annotations

from collections.abc import Iterator

from models.recipe.checks.problem import Problem
from models.recipe.distill import BLESSED
from models.recipe.recipe import Recipe
from models.recipe.spans import LATEST


def night_problems(recipe: Recipe) -> Iterator[Problem]:
    evaluation, logs = recipe.evaluation, recipe.logs
    if recipe.training.start == "warm" and (logs is None or logs.span is None):
        yield (
            ("training", "start"),
            "`warm` goes on from the model of an earlier day and needs `logs.span`. Set `span: 1d`, or start cold.",
        )
    if recipe.training.start == "warm" and recipe.retrieval is not None:
        yield (
            ("retrieval",),
            "trains from nothing on the train split, which holds only what is new with `training.start: warm`. Train the retrieval model "
            "with a recipe of its own that starts cold.",
        )
    distill = recipe.training.distill
    if recipe.training.start == "warm" and distill is not None and distill.teacher != BLESSED:
        yield (
            ("training", "distill", "teacher"),
            "is trained from nothing on the train split, which holds only what is new with `training.start: warm`. Write `teacher: "
            f"{BLESSED}`, the newest blessed model.",
        )
    for key in ("left_out", "taken_in"):
        for day in getattr(logs, key) if logs else ():
            if logs is None or logs.span is None:
                yield ("logs", key), "names days and needs `logs.span`. Set `span: 1d`, or remove it."
            elif day == LATEST or ("T" in day) != (logs.span == "1h"):
                wanted = "hours, such as 2026-11-28T05" if logs.span == "1h" else "days, such as 2026-11-28"
                yield ("logs", key), f"`span: {logs.span}` needs {wanted}; received {day}."
    if recipe.training.start == "warm" and "references" in evaluation.model_fields_set and evaluation.references:
        yield (
            ("evaluation", "references"),
            "train from nothing, and the train split of a warm run holds only what is new since its ancestor. Remove the key; "
            "gates with `max_loss_to_baseline` compare with the model of the last night.",
        )
