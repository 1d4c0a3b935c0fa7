"""What the platform of Kubeflow keeps below `root`."""

from __future__ import annotations

import pytest

from models.recipe.recipe import Recipe
from pipeline.kubeflow.platform import KubeflowPlatform


@pytest.mark.parametrize(
    ("gates", "kept"),
    [
        ([{"metric": "auc", "max_loss_to_best": 0.1}], "/gatewise/census/best"),
        ([{"metric": "auc", "at_least": 0.1}], ""),
        ("none", ""),
    ],
)
def test_the_best_values_are_kept_where_a_gate_asks_for_them(gates: object, kept: str) -> None:
    recipe = Recipe.model_validate(
        {
            "name": "census",
            "examples": {"path": "a.parquet"},
            "features": {"age": {"kind": "numeric"}},
            "tasks": {"income": {"kind": "binary", "label": {"column": "income"}, "gates": gates}},
            "kubeflow": {"pipeline_root": "s3://r/p", "root": "/gatewise", "data": "/logs", "image": "i:1"},
        }
    )
    assert KubeflowPlatform(recipe).kept_best == kept
