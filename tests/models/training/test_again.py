"""A training in the model of an earlier one: the same result as in a new model, bit for bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from linear_plan import linear_plan

from models.features.input_pipeline import Columns
from models.features.layout import FeatureLayout
from models.training import trainer
from models.training.again import TrainedAgain
from models.training.checkpoint import TrainingCheckpoint
from models.training.plan import TaskPlan, TrainerPlan

TASKS = ("click", "buy")
LAYOUT = FeatureLayout(tables={}, categorical=(), multivalued={}, numeric=("a", "b", "c"))


def split(rows: int, seed: int) -> Columns:
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, 3)).astype(np.float32)
    labels = (random.random((rows, 2)) < 1 / (1 + np.exp(-x[:, :2]))).astype(np.float32)
    return Columns({"numeric": x}, labels, np.ones((rows, 2), np.float32), np.arange(rows), TASKS)


TRAIN, VALIDATE = split(1500, 1), split(400, 2)


def plan(
    seed: int, architecture: str = "mmoe", balancer: str = "fixed", rate: float = 1.0, **options: Any
) -> TrainerPlan:
    tasks = {
        task: TaskPlan(kind="binary", loss="binary_crossentropy", weight=1.0, negative_rate=rate) for task in TASKS
    }
    training = {
        "epochs": 2,
        "patience": 9,
        "batch_size": 128,
        "learning_rate": 0.01,
        "evaluate_every": 512,
        "seed": seed,
        "weight_decay": 0.01,
    }
    sizes = {"units": (6,), "tower_units": (3,), **options}
    return linear_plan(tasks, **training).model_copy(
        update={"architecture": architecture, "options": sizes, "balancer": balancer}
    )


def train(folder: Path, one: TrainerPlan, again: TrainedAgain | None) -> trainer.Trained:
    return trainer.train(one, LAYOUT, TRAIN, VALIDATE, TrainingCheckpoint(folder / "checkpoint"), folder, again=again)


def state(trained: trainer.Trained) -> list[np.ndarray]:
    return [np.asarray(variable) for variable in trained.model.variables]


@pytest.mark.parametrize(
    ("architecture", "balancer", "options"),
    [
        ("mmoe", "fixed", {"dropout": 0.2, "gate_dropout": 0.1}),
        ("ltb", "gradnorm", {}),
        ("fully_adaptive", "random_weights", {"first_growth": 1, "rounds_between": 1, "separation": 0.1}),
        ("shared_bottom", "graddrop", {}),
    ],
)
def test_is_bit_for_bit_a_training_of_its_own(tmp_path: Path, architecture: str, balancer: str, options: Any) -> None:
    alone = train(tmp_path / "alone", plan(2, architecture, balancer, **options), None)
    again = TrainedAgain()
    first = train(tmp_path / "first", plan(1, architecture, balancer, **options), again)
    different = state(first)
    second = train(tmp_path / "second", plan(2, architecture, balancer, **options), again)
    names = ("loss", "val_loss", "val_score", "click_loss")
    assert [[one[name] for name in names] for one in second.rounds] == [
        [one[name] for name in names] for one in alone.rounds
    ]
    assert all(np.array_equal(a, b) for a, b in zip(state(second), state(alone), strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(state(second), different, strict=True))
    assert (second.model is first.model) == (architecture != "fully_adaptive")


def test_another_plan_or_thinned_negatives_train_in_a_new_model(tmp_path: Path) -> None:
    again = TrainedAgain()
    first = train(tmp_path / "first", plan(1), again)
    other = train(tmp_path / "other", plan(1, units=(5,)), again)
    assert other.model is not first.model
    models = [train(tmp_path / f"thinned{seed}", plan(seed, rate=0.5), again).model for seed in (1, 2)]
    assert models[0] is not models[1]


def test_a_training_that_resumes_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    alone = train(tmp_path / "alone", plan(2), None)
    again = TrainedAgain()
    train(tmp_path / "first", plan(1), again)

    def ends(number: int, score: float | None) -> bool:
        return number == 1

    cut = TrainingCheckpoint(tmp_path / "cut")
    stopped = trainer.train(plan(2), LAYOUT, TRAIN, VALIDATE, cut, tmp_path, watch=ends)
    assert len(stopped.rounds) == 2 < len(alone.rounds)
    resumed = trainer.train(plan(2), LAYOUT, TRAIN, VALIDATE, cut, tmp_path, again=again)
    assert all(np.array_equal(a, b) for a, b in zip(state(resumed), state(alone), strict=True))


def test_a_stop_holds_after_a_kill(tmp_path: Path) -> None:
    """What stopped the training hears the rounds before the kill again, and stops it there."""
    heard: list[int] = []

    def ends(number: int, score: float | None) -> bool:
        heard.append(number)
        return number == 1

    checkpoint = TrainingCheckpoint(tmp_path / "cut")
    first = trainer.train(plan(2), LAYOUT, TRAIN, VALIDATE, checkpoint, tmp_path, watch=ends)
    second = trainer.train(plan(2), LAYOUT, TRAIN, VALIDATE, checkpoint, tmp_path, watch=ends)
    assert heard == [0, 1, 0, 1] and len(first.rounds) == len(second.rounds) == 2
