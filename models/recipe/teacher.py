"""The recipe of the teacher of a distillation."""

from __future__ import annotations

from models.recipe.recipe import Recipe


def teacher_recipe(recipe: Recipe) -> Recipe | None:
    """The recipe with the teacher's architecture, options and balancer in place of the model's; None if this run trains no teacher."""
    distill = recipe.training.distill
    if distill is None or recipe.learns_from_blessed:
        return None
    model = {
        "architecture": distill.teacher,
        "options": {**recipe.model.options, **distill.options},
        "balancer": distill.balancer or recipe.model.balancer,
    }
    return recipe.model_copy(
        update={
            "model": recipe.model.model_copy(update=model),
            "training": recipe.training.model_copy(
                update={"distill": None, "affinity_every": None, "importance": False}
            ),
        }
    )
