"""Trainings of a small problem with other options: python -m benchmarks.small.options QUESTION.

The question: `recipe`, its path; `options`, {name: overrides of the recipe}; `seeds`; `out`, where the stages write.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.stages.artifacts import start_beam
from benchmarks.stages.door import answer
from benchmarks.stages.ours import event_logs, features, flags
from models.recipe.file import load_recipe


def run(question: Mapping[str, Any]) -> dict[str, list[float]]:
    """EventLogs and Features once, then a training per option and seed: {option: [validation score of each seed]}."""
    recipe, out = load_recipe(question["recipe"]), Path(question["out"])
    start_beam(flags(recipe))
    event_logs(recipe, out, out)
    features(recipe, out, out)
    return {
        name: [_score(question["recipe"], [f"training.seed={seed}", *overrides], out) for seed in question["seeds"]]
        for name, overrides in question["options"].items()
    }


def _score(recipe: str, overrides: list[str], out: Path) -> float:
    from models.features.input_pipeline import read_split
    from models.features.layout import FeatureLayout
    from models.training.checkpoint import TrainingCheckpoint
    from models.training.plan import TrainerPlan
    from models.training.trainer import train

    data, validate = (
        read_split(str(out / "transformed_examples" / f"Split-{split}" / "*")) for split in ("train", "validate")
    )
    plan, layout = TrainerPlan.from_recipe(load_recipe(recipe, overrides)), FeatureLayout.load(out / "transform_graph")
    with tempfile.TemporaryDirectory() as folder:
        return train(plan, layout, data, validate, TrainingCheckpoint(Path(folder) / "checkpoint"), Path(folder)).best[
            "val_score"
        ]


if __name__ == "__main__":
    answer(run)
