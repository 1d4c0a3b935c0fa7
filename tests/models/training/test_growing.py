"""A network that grows during a training: when, with which state, going on after a kill, and what is exported."""

from __future__ import annotations

import dataclasses
import json
import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from tfx.components.trainer.fn_args_utils import FnArgs

from models.features import input_pipeline
from models.features.layout import FeatureLayout
from models.recipe.recipe import Recipe
from models.serving.inference import load_named, load_server
from models.serving.inputs import read_expected, read_inputs, serialize_examples
from models.serving.named_rows import page_of, rank_columns
from models.training import trainer
from models.training.checkpoint import EarlyStopping, Progress, TrainingCheckpoint
from models.training.growing import grow, margins
from models.training.plan import TrainerPlan

EAGER = {
    "units": [6, 4],
    "tower_units": [3],
    "separation": 1000.0,
    "first_growth": 1,
    "rounds_between": 1,
    "dropout": 0.1,
}


def make_plan(problem: SimpleNamespace, options: dict[str, Any] | None = None, **training: Any) -> TrainerPlan:
    model = {"architecture": "fully_adaptive", "options": {"fully_adaptive": {**EAGER, **(options or {})}}}
    recipe = {**problem.recipe, "model": model, "training": {**problem.recipe["training"], **training}}
    return TrainerPlan.from_recipe(Recipe.model_validate(recipe))


def contrary(problem: SimpleNamespace) -> input_pipeline.Columns:
    """A validate split in which everything is the other way round: the first round is the best."""
    columns = input_pipeline.read_split(problem.eval)
    return dataclasses.replace(columns, labels=np.stack([1 - columns.labels[:, 0], -columns.labels[:, 1]], axis=1))


def train(
    problem: SimpleNamespace, plan: TrainerPlan, checkpoint: TrainingCheckpoint, against: bool = False
) -> trainer.Trained:
    return trainer.train(
        plan,
        FeatureLayout.load(problem.transform_graph),
        input_pipeline.read_split(problem.train),
        contrary(problem) if against else input_pipeline.read_split(problem.eval),
        checkpoint,
        checkpoint.folder.parent / "run",
    )


class Killed(TrainingCheckpoint):
    """Ends after a state."""

    def __init__(self, folder: Path, at: tuple[int, int]) -> None:
        super().__init__(folder)
        self.at = at

    def save(self, model: Any, progress: Progress) -> None:
        super().save(model, progress)
        if (progress.round, progress.steps) == self.at:
            raise KeyboardInterrupt


@pytest.fixture(scope="module")
def grown(problem: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> trainer.Trained:
    folder = tmp_path_factory.mktemp("grown")
    return train(problem, make_plan(problem, epochs=3), TrainingCheckpoint(folder / "checkpoint"))


def test_one_layer_a_phase_from_the_top(grown: trainer.Trained) -> None:
    apart = [["click"], ["value"]]
    assert [entry.get("grown") for entry in grown.rounds] == [
        {"layer": 1, "branches": apart},
        {"layer": 0, "branches": apart},
        None,
    ]
    assert grown.rounds[-1]["val_loss"] < grown.rounds[0]["val_loss"]


def test_a_killed_training_goes_on_with_the_same_bits(
    grown: trainer.Trained, problem: SimpleNamespace, tmp_path: Path
) -> None:
    """Killed in the round between the two growths."""
    plan = make_plan(problem, epochs=3, steps_per_execution=4, checkpoint_minutes=1e-9)
    with pytest.raises(KeyboardInterrupt):
        train(problem, plan, Killed(tmp_path / "checkpoint", (1, 4)))
    resumed = train(problem, plan, TrainingCheckpoint(tmp_path / "checkpoint"))
    for one, other in zip(resumed.rounds, grown.rounds, strict=True):
        assert {name: one[name] for name in one if "second" not in name} == {
            name: other[name] for name in other if "second" not in name
        }
    assert resumed.model.architecture.branches == grown.model.architecture.branches
    for one, other in zip(resumed.model.variables, grown.model.variables, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())


def test_the_best_round_has_its_own_branches(problem: SimpleNamespace, tmp_path: Path) -> None:
    """The first round is the best. Patience starts anew with the growth after the second."""
    plan = make_plan(problem, {"first_growth": 2, "rounds_between": 9, "units": [4]}, epochs=9, patience=2)
    trained = train(problem, plan, TrainingCheckpoint(tmp_path / "checkpoint"), against=True)
    assert [("grown" in entry) for entry in trained.rounds] == [False, True, False, False]
    assert (trained.best_round, trained.model.architecture.branches) == (0, ((0, 0),))


@pytest.fixture(scope="module")
def shared(problem: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> trainer.MultiTaskModel:
    """A model that has not grown, with the average in the place of its weights."""
    folder = tmp_path_factory.mktemp("shared")
    plan = make_plan(problem, {"first_growth": 9}, epochs=1, average_weights=True)
    return train(problem, plan, TrainingCheckpoint(folder / "checkpoint")).model


def test_a_growth_keeps_the_predictions_and_copies_averages_and_slots(
    shared: trainer.MultiTaskModel, problem: SimpleNamespace, caplog: pytest.LogCaptureFixture
) -> None:
    model, data = shared, input_pipeline.read_split(problem.eval)
    features = {name: array[:] for name, array in data.arrays.items()}
    before, stopping = model(features), EarlyStopping(2, wait=1)
    assert grow(model, data, stopping, 8, 32) == {} and stopping.wait == 1
    model.train_function = "the step of the network before"
    with caplog.at_level(logging.INFO):
        assert grow(model, data, stopping, 9, 32) == {"grown": {"layer": 1, "branches": [["click"], ["value"]]}}
    assert "The network has grown after 9 evaluations: {'layer': 1" in caplog.text
    assert stopping.wait == 0 and model.train_function is None
    for task, logits in model(features).items():
        np.testing.assert_allclose(logits, before[task], rtol=1e-5, atol=1e-6)
    kernel = model.architecture.levels[1].kernel
    slots = [slot for slot in model.optimizer.variables if slot.shape == kernel.shape]
    averages = [average for average, own in zip(model.average.averages, model.averaged, strict=True) if own is kernel]
    assert (len(slots), len(averages)) == (2, 1)
    for copied in (kernel, *slots, *averages):
        values = copied.numpy()
        assert np.any(values[0])
        np.testing.assert_array_equal(values[0], values[1])
    low = model.architecture.levels[0].kernel.numpy()
    assert not np.array_equal(low[0], low[1]), "the layer below is as it was"


def test_margins_are_distances_of_the_evaluated_weights(
    shared: trainer.MultiTaskModel, problem: SimpleNamespace
) -> None:
    model, data = shared, input_pipeline.read_split(problem.eval)
    predictions = model.predictions({name: array[:] for name, array in data.arrays.items()})
    model.average.exchange(model.averaged)  # the training goes on with the weights themselves
    found, _ = margins(model, data, 32)
    model.average.exchange(model.averaged)
    for i, task in enumerate(("click", "value")):
        np.testing.assert_allclose(found[:, i], np.abs(data.labels[:, i] - predictions[task]), rtol=1e-4, atol=1e-5)


def test_the_exported_model_has_the_branches(problem: SimpleNamespace, tmp_path: Path) -> None:
    run, model = tmp_path / "node" / "model_run" / "1", tmp_path / "Format-Serving"
    run.mkdir(parents=True)
    args = FnArgs(
        train_files=[problem.train],
        eval_files=[problem.eval],
        transform_graph_path=str(problem.transform_graph),
        serving_model_dir=str(model),
        model_run_dir=str(run),
        custom_config={"plan": make_plan(problem, epochs=2).model_dump_json()},
    )
    trainer.run_fn(args)
    history = json.loads((run / "history.json").read_text())
    assert [entry["grown"]["layer"] for entry in history["epochs"] if "grown" in entry] == [1]
    server, inputs, rows = load_server(model), read_inputs(model)["inputs"], problem.rows["eval"][:5]
    answered = server(serialize_examples(rows, inputs))
    for task, values in read_expected(model)["predictions"].items():
        np.testing.assert_allclose(answered[task], values, atol=1e-5)
    page = [{**row, "age": rows[0]["age"]} for row in rows]
    ranked = load_named(model, "rank")[0](rank_columns(page_of(page[0], page, inputs), inputs))
    for task, values in server(serialize_examples(page, inputs)).items():
        np.testing.assert_allclose(ranked[task], values, rtol=1e-5, atol=1e-5)
