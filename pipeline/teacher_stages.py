"""The stages before a Trainer that learns from the newest blessed model. `pipeline/dag.py` adds them to the pipeline."""

from __future__ import annotations

import json

from tfx import types
from tfx.dsl.components.base import base_node

from components.teacher.component import Teacher
from models.recipe.checks.distill import distilled
from models.recipe.recipe import Recipe
from pipeline.code_version import code_version
from pipeline.platforms import Platform


def teacher_stages(recipe: Recipe, platform: Platform, examples: types.BaseChannel) -> tuple[base_node.BaseNode, ...]:
    """The stages in the order of the data, the last with the output `teacher`; () unless the teacher is `blessed`.

    Args:
        recipe: a checked recipe.
        platform: where the pipeline runs.
        examples: the raw examples.
    """
    if not recipe.learns_from_blessed:
        return ()
    found = platform.teacher_model(examples)
    teacher = Teacher(
        examples=examples,
        tasks=json.dumps({task: recipe.tasks[task].kind for task in distilled(recipe)}),
        code=code_version("components.teacher.executor"),
        model=found.outputs["baseline_model"] if found else None,
        served="" if found else platform.served,
    )
    return (*((found,) if found else ()), teacher)
