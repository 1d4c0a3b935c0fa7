"""Tasks that nobody observed in the eval split: their loss of 0 is no loss."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from models.features import input_pipeline
from models.features.layout import FeatureLayout
from models.recipe.recipe import Recipe
from models.training import trainer
from models.training.callbacks import progress_line
from models.training.checkpoint import TrainingCheckpoint
from models.training.plan import TrainerPlan
from models.training.rounds import Rounds

ROUNDS = Rounds(batch_size=32, pass_steps=10, round_steps=10, steps=30)


def trained(problem: SimpleNamespace, folder: Path, unobserved: list[int]) -> trainer.Trained:
    """Three epochs, with an eval split in which some tasks (0 click, 1 value) are not observed, and its labels contrary."""
    recipe = {**problem.recipe, "training": {**problem.recipe["training"], "epochs": 3, "patience": 1}}
    columns = input_pipeline.read_split(problem.eval)
    labels, weights = np.array(columns.labels), np.array(columns.weights)
    labels[:, 0] = 1 - labels[:, 0]
    weights[:, unobserved] = 0.0
    return trainer.train(
        TrainerPlan.from_recipe(Recipe.model_validate(recipe)),
        FeatureLayout.load(problem.transform_graph),
        input_pipeline.read_split(problem.train),
        dataclasses.replace(columns, labels=labels, weights=weights),
        TrainingCheckpoint(folder / "checkpoint"),
        folder / "run",
    )


def test_an_unobserved_task_has_no_eval_loss_and_no_say_in_stopping(problem: SimpleNamespace, tmp_path: Path) -> None:
    found = trained(problem, tmp_path, [0])
    assert all("val_click_loss" not in entry and "val_loss" in entry for entry in found.rounds)
    assert found.rounds[-1]["val_loss"] == pytest.approx(0.5 * found.rounds[-1]["val_value_loss"], rel=1e-5)
    line = progress_line(found.rounds[0], ROUNDS, ("click", "value"), True)
    assert "(click -, value " in line


def test_with_nothing_observed_no_round_is_best_by_a_loss_of_nothing(problem: SimpleNamespace, tmp_path: Path) -> None:
    found = trained(problem, tmp_path, [0, 1])
    assert len(found.rounds) == 3 and found.best_round == 2, "a loss of 0 would make the first epoch the best"
    assert not any(name.startswith("val_") for entry in found.rounds for name in entry)
    assert "val_score - (click -, value -)" in progress_line(found.rounds[0], ROUNDS, ("click", "value"), True)
