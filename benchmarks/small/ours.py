"""gatewise on a small problem, with default options: python -m benchmarks.small.ours QUESTION.

The question: `recipe`, its path; `architectures`; `seeds`; `out`, where the stages write, and where the predictions for
the eval split are written: `ARCHITECTURE-SEED.parquet`, a column per task, in the order of the example ids.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks.stages.artifacts import start_beam
from benchmarks.stages.door import answer, clock
from benchmarks.stages.ours import event_logs, features, flags
from models.recipe.evaluation import Reference
from models.recipe.file import load_recipe

LINEAR: Reference = "linear"


def run(question: Mapping[str, Any]) -> dict[str, Any]:
    """EventLogs and Features once, then a training per architecture and seed, each as the pipeline trains it.

    `linear` is trained as the pipeline's reference of that name.

    Returns:
        rows of the train split, seconds, and {architecture: [about each training]}.
    """
    recipe, out = load_recipe(question["recipe"]), Path(question["out"])
    start_beam(flags(recipe))
    with clock() as seconds:
        event_logs(recipe, out, out)
        features(recipe, out, out)
        rows, trainings = _trainings(question, out)
    return {"rows": rows, "seconds": seconds[0], "cpu_seconds": seconds[1], "trainings": trainings}


def _trainings(question: Mapping[str, Any], out: Path) -> tuple[int, dict[str, list[dict[str, Any]]]]:
    from components.references.plan import ReferencesPlan
    from components.references.training import network_of, reference_plan, train_reference
    from models.features.input_pipeline import read_split
    from models.features.layout import FeatureLayout
    from models.training.checkpoint import TrainingCheckpoint
    from models.training.plan import TrainerPlan

    layout = FeatureLayout.load(out / "transform_graph")
    train, validate, evaluation = (
        read_split(str(out / "transformed_examples" / f"Split-{split}" / "*"))
        for split in ("train", "validate", "eval")
    )
    trainings: dict[str, list[dict[str, Any]]] = {}
    for architecture in question["architectures"]:
        for seed in question["seeds"]:
            more = [f"training.seed={seed}"] + (
                [] if architecture == LINEAR else [f"model.architecture={architecture}"]
            )
            recipe = load_recipe(question["recipe"], [*more, *question.get("overrides", ())])
            plan = TrainerPlan.from_recipe(recipe)
            if architecture == LINEAR:
                plan = reference_plan(ReferencesPlan.from_recipe(recipe), LINEAR, network_of(plan, layout))
            name = f"{architecture}-{seed}"
            checkpoint = TrainingCheckpoint(out / "checkpoints" / name)
            trained = train_reference(plan, name, layout, train, validate, evaluation, checkpoint)
            pl.DataFrame(trained.predictions).write_parquet(out / f"{name}.parquet")
            trainings.setdefault(architecture, []).append(trained.about)
    return len(train.example_id), trainings


if __name__ == "__main__":
    answer(run)
