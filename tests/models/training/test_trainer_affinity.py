"""A training that measures affinities: the same model bit for bit, and the same affinities however often it was killed."""

from __future__ import annotations

import logging
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from models.features import input_pipeline
from models.features.layout import FeatureLayout
from models.recipe.recipe import Recipe
from models.training import affinity, trainer
from models.training.checkpoint import TrainingCheckpoint
from models.training.plan import TrainerPlan


class Kill(Exception):
    pass


class Killed(TrainingCheckpoint):
    """Ends the training after a state is saved within the second round."""

    def save(self, model, progress):
        super().save(model, progress)
        if (progress.round, progress.steps) == (1, 5):
            raise Kill


def train(problem, folder: Path, checkpoint=TrainingCheckpoint, **training):
    options = {"epochs": 2, "checkpoint_minutes": 1e-9, "sampling": "tasks", **training}
    recipe = {**problem.recipe, "training": {**problem.recipe["training"], **options}}
    return trainer.train(
        TrainerPlan.from_recipe(Recipe.model_validate(recipe)),
        FeatureLayout.load(problem.transform_graph),
        input_pipeline.read_split(problem.train),
        input_pipeline.read_split(problem.eval),
        checkpoint(folder / "checkpoint"),
        folder / "run",
    )


def test_the_model_is_the_same_and_a_killed_training_has_the_same_affinities(
    problem: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = train(problem, tmp_path / "plain")
    seen = []
    monkeypatch.setattr(
        affinity.AffinityHook,
        "starts",
        lambda self, *args, own=affinity.AffinityHook.starts: seen.append(self) or own(self, *args),
    )
    measured = train(problem, tmp_path / "measured", affinity_every=3)
    for one, other in zip(plain.model.variables, measured.model.variables, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy(), one.path)
    for one, other in zip(plain.rounds, measured.rounds, strict=True):
        timed = ("seconds", "examples_per_second")
        assert {k: v for k, v in one.items() if k not in timed} == {k: v for k, v in other.items() if k not in timed}
    assert plain.history["affinity"] == {}
    # 20 steps: 0, 3, .. 18, of two rounds of 10.
    found = measured.history["affinity"]
    assert found["samples"] == {task: {"click": 7, "value": 7} for task in ("click", "value")}
    assert all(found["means"][task][task] > 0 for task in ("click", "value")), "a task's own step helps it"
    assert seen[0] is seen[1] and seen[0].measure.experimental_get_tracing_count() == 1

    with pytest.raises(Kill):
        train(problem, tmp_path / "killed", Killed, affinity_every=3)
    assert train(problem, tmp_path / "killed", affinity_every=3).history["affinity"] == found


def test_several_steps_per_call_are_measured_once_and_the_batch_is_that_of_the_step() -> None:
    model = SimpleNamespace(steps_per_execution=4, train_function=None)
    asked: list[int] = []
    hook = affinity.AffinityHook(3, lambda step: asked.append(step) or ({}, np.zeros(1), np.zeros(1)))
    hook.set_model(model)
    hook.measure = lambda *batch: (
        SimpleNamespace(numpy=lambda: np.zeros((2, 2))),
        SimpleNamespace(numpy=lambda: np.ones((2, 2), bool)),
    )
    hook.starts(affinity.AffinitySums(), 10)
    for batch in (0, 4, 8):  # steps 10 to 13, 14 to 17 and 18 to 21: of 12, 15, and 18 with 21
        hook.on_train_batch_begin(batch)
    assert asked == [10, 14, 18] and hook.sums.count == [[3, 3], [3, 3]]
    model.steps_per_execution = 1
    hook.on_train_batch_begin(12)
    hook.on_train_batch_begin(14)
    assert asked[3:] == [24], "step 22 is not due"


def test_one_task_is_not_measured_and_several_replicas_say_why(caplog: pytest.LogCaptureFixture) -> None:
    def model(tasks: int, replicas: int) -> SimpleNamespace:
        strategy = SimpleNamespace(num_replicas_in_sync=replicas)
        return SimpleNamespace(balancer=SimpleNamespace(tasks=("a", "b")[:tasks]), distribute_strategy=strategy)

    assert affinity.affinity_hook(model(2, 1), None, lambda step: None) is None
    assert affinity.affinity_hook(model(1, 1), 5, lambda step: None) is None
    assert affinity.affinity_hook(model(2, 1), 5, lambda step: None) is not None and not caplog.records
    with caplog.at_level(logging.WARNING):
        assert affinity.affinity_hook(model(2, 2), 5, lambda step: None) is None
    assert "measured on one GPU only, and this training has 2" in caplog.text
