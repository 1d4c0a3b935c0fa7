"""The recipe's section `kubeflow` and the pipeline's name on Kubeflow. Does not import TFX."""

from __future__ import annotations

from models.recipe.errors import InputError
from models.recipe.kubeflow import Kubeflow
from models.recipe.recipe import Recipe


def kubeflow_of(recipe: Recipe) -> Kubeflow:
    """The recipe's section `kubeflow`.

    Raises:
        InputError: the recipe has no such section.
    """
    if recipe.kubeflow is None:
        raise InputError(
            "the recipe has no section 'kubeflow': pipeline_root, root, data and image are required. "
            "docs/recipe.md explains every key."
        )
    return recipe.kubeflow


def pipeline_name(recipe: Recipe) -> str:
    """The name of the recipe's pipeline."""
    return name_on_kubeflow(recipe.name)


def name_on_kubeflow(name: str) -> str:
    """A recipe's name in Kubeflow's format: lowercase letters, digits, hyphens."""
    return name.lower().replace("_", "-")
