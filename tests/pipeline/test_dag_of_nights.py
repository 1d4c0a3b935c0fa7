"""What the pipeline gives to the stages that record a night."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from components.push.nights import NightPlan
from models.recipe.file import load_recipe
from models.recipe.night import Night
from models.recipe.recipe import Recipe
from pipeline.dag import create_pipeline, data_stages
from pipeline.local_platform import LocalPlatform
from pipeline.run_paths import RunPaths, run_paths


class WithoutLogs(LocalPlatform):
    """This machine, for a recipe whose logs are not there."""

    def logs_fingerprint(self, recipe: Recipe, night: Night | None = None) -> str:
        return ""

    def truth_fingerprint(self, recipe: Recipe) -> str:
        return ""


def recipe_and_paths(root: Path, *overrides: str) -> tuple[Recipe, RunPaths]:
    recipe = load_recipe(Path("recipes/shop_days.yaml"), ["logs.day=2026-01-09", *overrides], str(root))
    return recipe, run_paths(recipe, root)


@pytest.mark.parametrize("start", ["warm", "cold"])
@pytest.mark.parametrize("push", [True, False])
def test_validation_and_the_pusher_record_nights_that_push(tmp_path: Path, start: str, push: bool) -> None:
    recipe, paths = recipe_and_paths(tmp_path, f"training.start={start}")
    nodes: dict[str, Any] = {
        node.id: node for node in create_pipeline(recipe, WithoutLogs(paths, push=push)).components
    }
    validation, pusher = nodes["Validation"], nodes["Pusher"]
    told = validation.exec_properties["night"]
    assert ("examples" in validation.inputs) == (told is not None) == (start == "warm" and push)
    assert (pusher.exec_properties["night"] is not None) == (start == "warm")
    if told is not None:
        assert told == pusher.exec_properties["night"]
        assert validation.exec_properties["states"] == pusher.exec_properties["states"] == str(paths.states)
        plan = NightPlan.model_validate_json(told)
        assert (plan.night.day, plan.night.start, plan.eval_days) == ("2026-01-09", "cold", ("2026-01-09",))


def test_the_data_stages_alone_record_nothing(tmp_path: Path) -> None:
    recipe, paths = recipe_and_paths(tmp_path)
    assert data_stages(recipe, WithoutLogs(paths)).validation.exec_properties["night"] is None
