"""Where a recipe's things lie, on one machine and on Kubeflow."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.recipe.kubeflow import Kubeflow
from models.recipe.recipe import Recipe
from pipeline.kubeflow.platform import KubeflowPlatform
from pipeline.local_platform import LocalPlatform
from pipeline.run_paths import run_paths


@pytest.mark.parametrize(("model_name", "folder"), [(None, "shop"), ("other", "other")])
def test_a_retrieval_model_is_served_beside_the_ranker(model_name: str | None, folder: str, tmp_path: Path) -> None:
    recipe = Recipe.model_validate(
        {
            "name": "shop",
            "examples": {"path": "a.parquet"},
            "features": {"age": {"kind": "numeric"}},
            "tasks": {"income": {"kind": "binary", "label": {"column": "income"}}},
            "serving": {"model_name": model_name},
            "kubeflow": Kubeflow(pipeline_root="s3://b", root="/gatewise", data="/logs", image="image"),
        }
    )
    here, there = LocalPlatform(run_paths(recipe, tmp_path)), KubeflowPlatform(recipe)
    assert here.served == str(tmp_path / "serving" / folder) and there.served == f"/gatewise/serving/{folder}"
    for platform in (here, there):
        assert platform.served_retrieval == platform.served + "_retrieval"
