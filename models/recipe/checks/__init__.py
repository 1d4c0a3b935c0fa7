"""Checks across the sections of a recipe: undefined names, inconsistent windows, leaked labels."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from models.recipe.checks.affinity import affinity_problems
from models.recipe.checks.beam import beam_problems
from models.recipe.checks.distill import distill_problems
from models.recipe.checks.evaluation import evaluation_problems
from models.recipe.checks.example_weights import weight_problems
from models.recipe.checks.features import feature_problems
from models.recipe.checks.gates import gate_problems
from models.recipe.checks.groups import group_problems
from models.recipe.checks.kubeflow import kubeflow_problems
from models.recipe.checks.logs import split_problems, stream_problems
from models.recipe.checks.model import model_problems, training_problems
from models.recipe.checks.nights import night_problems
from models.recipe.checks.problem import Problem
from models.recipe.checks.retrieval import retrieval_problems
from models.recipe.checks.served_names import name_problems
from models.recipe.checks.serving import serving_problems
from models.recipe.checks.source import data_problems, source_problems, value_problems
from models.recipe.checks.spans import span_problems
from models.recipe.checks.tasks import task_problems
from models.recipe.checks.validation import validation_problems
from models.recipe.recipe import Recipe


def problems(recipe: Recipe) -> list[Problem]:
    """All problems of a recipe: (location of the key, message)."""
    checks: tuple[Callable[[Recipe], Iterator[Problem]], ...] = (
        source_problems,
        data_problems,
        value_problems,
        stream_problems,
        span_problems,
        night_problems,
        task_problems,
        weight_problems,
        gate_problems,
        split_problems,
        feature_problems,
        validation_problems,
        model_problems,
        training_problems,
        distill_problems,
        affinity_problems,
        evaluation_problems,
        group_problems,
        retrieval_problems,
        name_problems,
        serving_problems,
        beam_problems,
        kubeflow_problems,
    )
    return [problem for check in checks for problem in check(recipe)]
