"""A warm start under another recipe: what goes on belongs to the same task, row and structure; and the start is a candidate for the export."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import polars as pl
import pytest

from models.features import input_pipeline
from models.features.ids import SCHEMA, Ids, write_ids
from models.features.layout import FeatureLayout
from models.recipe.recipe import Recipe
from models.training import trainer
from models.training.build import build_model
from models.training.carried import carried
from models.training.checkpoint import TrainingCheckpoint
from models.training.compiling import compile_model
from models.training.multi_task_model import MultiTaskModel
from models.training.plan import TrainerPlan
from models.training.rounds import rounds_of
from models.training.state import write_features, write_state
from models.training.state_names import named_variables
from models.training.warm_start import WarmStart

LIKE = {"kind": "binary", "label": {"column": "like"}}


def plan_of(problem: SimpleNamespace, tasks: Any = None, training: Any = None, **model: Any) -> TrainerPlan:
    recipe = {
        **problem.recipe,
        "tasks": tasks or problem.recipe["tasks"],
        "model": {**problem.recipe["model"], **model},
        "training": {**problem.recipe["training"], **(training or {})},
    }
    return TrainerPlan.from_recipe(Recipe.model_validate(recipe)).model_copy(update={"keeps_state": True})


def built(problem: SimpleNamespace, plan: TrainerPlan, seed: int) -> MultiTaskModel:
    """A compiled model whose numbers are all different."""
    keras.utils.set_random_seed(seed)
    model = build_model(plan, FeatureLayout.load(problem.transform_graph))
    model(features(problem))
    compile_model(model, plan.training, rounds_of(plan.training, 32, 300), 1)
    random = np.random.default_rng(seed)
    for variable in [*named_variables(model).values(), *model.encoder.embeddings]:
        if np.issubdtype(np.dtype(keras.backend.standardize_dtype(variable.dtype)), np.floating):
            variable.assign(random.normal(size=variable.shape).astype(np.float32))
    return model


def features(problem: SimpleNamespace) -> dict[str, np.ndarray]:
    return {name: array[:40] for name, array in input_pipeline.read_split(problem.train).arrays.items()}


def logits(problem: SimpleNamespace, model: MultiTaskModel) -> dict[str, np.ndarray]:
    return {task: np.asarray(values) for task, values in model(features(problem), training=False).items()}


def state_of(problem: SimpleNamespace, model: MultiTaskModel, folder: Path) -> WarmStart:
    write_state(folder, model)
    write_features(folder, problem.transform_graph)
    return WarmStart(folder, problem.transform_graph)


def turned(problem: SimpleNamespace) -> dict[str, Any]:
    return dict(reversed(problem.recipe["tasks"].items()))


def test_what_goes_on_under_other_tasks_by_hand() -> None:
    of_task, shared, moment = (
        "a:M/towers/task:click/kernel",
        "a:M/shared/0/kernel",
        "optimizer:Adam/momentums/backbone:C/w",
    )
    first, second, matrix = "a:M/networks/0/kernel", "a:M/networks/1/kernel", "balancer:U/log_variance"
    own = {of_task: (4, 1), shared: (3, 4), moment: (3,), first: (4,), second: (4,), matrix: (2,)}
    assert carried(own, own, ["click", "buy"], ["click", "buy"]) == list(own)
    assert carried(own, own, ["click", "buy"], ["buy", "click"]) == [of_task, shared, moment]
    assert carried(own, own, ["click", "like"], ["click", "buy"]) == [of_task, shared, moment]
    three = {**own, "a:M/networks/2/kernel": (4,), matrix: (3,)}
    assert carried(three, own, ["click", "like", "buy"], ["click", "buy"]) == [of_task, shared, moment]
    assert carried(own, {**own, of_task: (5, 1)}, ["click"], ["click"]) == list(own)[1:]


@pytest.mark.parametrize("architecture", ["single_task", "mmoe"])
def test_another_order_of_the_tasks_changes_no_prediction(
    problem: SimpleNamespace, tmp_path: Path, architecture: str
) -> None:
    first = built(problem, plan_of(problem, architecture=architecture), 1)
    second = built(problem, plan_of(problem, turned(problem), architecture=architecture), 2)
    state_of(problem, first, tmp_path / "state").apply(second)
    expected, found = logits(problem, first), logits(problem, second)
    for task in expected:
        np.testing.assert_allclose(found[task], expected[task], rtol=1e-5, atol=1e-5)


def test_a_network_in_a_list_by_level_and_task_never_becomes_another_tasks(
    problem: SimpleNamespace, tmp_path: Path
) -> None:
    """Two layers of two tasks: four networks, of click and value in turn."""
    options = {"architecture": "cross_stitch", "options": {"cross_stitch": {"units": [4, 4], "tower_units": [4]}}}
    first = built(problem, plan_of(problem, **options), 1)
    second = built(problem, plan_of(problem, turned(problem), **options), 2)
    names = [name for name in named_variables(second) if "CrossStitch/networks/" in name]
    assert any("/networks/3/" in name for name in names)
    told = state_of(problem, first, tmp_path / "state").apply(second)
    assert set(names) <= set(told["new"]) and set(names) <= set(told["dropped"])
    towers = [name for name in named_variables(first) if name.startswith("architecture:CrossStitch/towers/")]
    assert towers and not set(towers) & set(told["new"])


def test_a_task_more_leaves_the_others_as_they_were(problem: SimpleNamespace, tmp_path: Path) -> None:
    tasks = problem.recipe["tasks"]
    first = built(problem, plan_of(problem, architecture="single_task"), 1)
    more = {"click": tasks["click"], "like": LIKE, "value": tasks["value"]}
    second = built(problem, plan_of(problem, more, architecture="single_task"), 2)
    told = state_of(problem, first, tmp_path / "state").apply(second)
    expected, found = logits(problem, first), logits(problem, second)
    for task in expected:
        np.testing.assert_allclose(found[task], expected[task], rtol=1e-5, atol=1e-5)
    assert told["new"] and all("task:like" in name for name in told["new"]) and told["dropped"] == []


def test_what_is_new_begins_its_average_at_its_own_value(problem: SimpleNamespace, tmp_path: Path) -> None:
    tasks, averages = problem.recipe["tasks"], {"average_weights": True}
    first = built(problem, plan_of(problem, training=averages, architecture="single_task"), 1)
    assert first.average is not None
    first.average.updates.assign(500.0)
    more = plan_of(problem, {**tasks, "like": LIKE}, averages, architecture="single_task")
    second = built(problem, more, 2)
    assert second.average is not None
    state_of(problem, first, tmp_path / "state").apply(second)
    expected = logits(problem, second)["like"]
    assert np.ptp(expected) > 0.01
    of_like = [(average, variable) for average, variable in zip(second.average.averages, second.averaged, strict=True)]
    named = {id(variable): name for name, variable in named_variables(second).items()}
    found = [pair for pair in of_like if "task:like" in named.get(id(pair[1]), "")]
    assert found
    for average, variable in found:
        np.testing.assert_array_equal(average, variable)


def test_an_adversary_is_no_task_of_the_architecture(problem: SimpleNamespace, tmp_path: Path) -> None:
    """With one the lists of the architecture have an item less than the model has tasks."""
    tasks = {**problem.recipe["tasks"], "like": {**LIKE, "role": "adversarial"}}
    first = built(problem, plan_of(problem, tasks), 1)
    towers = [name for name in named_variables(first) if "/towers/" in name and name.startswith(("arch", "adv"))]
    assert all("/task:" in name for name in towers)
    assert any(name.startswith("adversaries") and "/task:like" in name for name in towers)
    second = built(problem, plan_of(problem), 2)
    state_of(problem, first, tmp_path / "state").apply(second)
    expected, found = logits(problem, first), logits(problem, second)
    np.testing.assert_allclose(found["click"], expected["click"], rtol=1e-5, atol=1e-5)


def test_a_network_that_has_grown_stays_grown(problem: SimpleNamespace, tmp_path: Path) -> None:
    options = {"fully_adaptive": {"units": [4], "tower_units": [], "max_branches": 2}}
    plan = plan_of(problem, architecture="fully_adaptive", options=options)
    first, second = built(problem, plan, 1), built(problem, plan, 2)
    first.architecture.branch.assign([[0, 1]])
    first.architecture.restored()
    state_of(problem, first, tmp_path / "state").apply(second)
    assert second.architecture.branches == ((0, 1),)
    for task, values in logits(problem, first).items():
        np.testing.assert_allclose(logits(problem, second)[task], values, rtol=1e-5, atol=1e-5)


def test_another_rate_of_negatives_changes_no_prediction(problem: SimpleNamespace, tmp_path: Path) -> None:
    """ln 0.5 is added to the logits of click outside of training, then ln 0.25."""
    first, second = (built(problem, plan_of(problem), seed) for seed in (1, 2))
    first.scales.offset.assign([0.5, 2.0])
    first.scales.shift.assign([np.log(0.5), 0.0])
    second.scales.shift.assign([np.log(0.25), 0.0])
    state_of(problem, first, tmp_path / "state").apply(second)
    np.testing.assert_allclose(second.scales.offset, [0.5 + np.log(2.0), 2.0], rtol=1e-6)
    for task, values in logits(problem, first).items():
        np.testing.assert_allclose(logits(problem, second)[task], values, rtol=1e-5, atol=1e-5)


def test_the_counts_of_the_rows_go_on_by_id(problem: SimpleNamespace, tmp_path: Path) -> None:
    """The item 8 takes the row of 7, which is gone; 9 keeps its row."""
    plan = plan_of(problem, regularizers={"frequency_l2": {}})
    first, second = built(problem, plan, 1), built(problem, plan, 2)
    assert first.row_counts is not None and second.row_counts is not None
    start = state_of(problem, first, tmp_path / "state")
    graph = tmp_path / "graph"
    write_features(tmp_path, problem.transform_graph)
    (tmp_path / "features").rename(graph)
    write_ids(_ids(["7", "9"]), start.state / "features" / "ids.parquet")
    write_ids(_ids(["8", "9"]), graph / "ids.parquet")
    number = next(i for i, table in enumerate(second.encoder.fused) if "item" in table.offsets)
    fresh = 1000.0 * np.ones(second.row_counts.totals[number].shape, np.float32)
    second.row_counts.totals[number].assign(fresh)
    WarmStart(start.state, graph).apply(second)
    table = second.encoder.fused[number]
    row = table.offsets["item"] + FeatureLayout.load(graph).tables["item"][0] - 3  # 3 values have rows
    before, after = (np.asarray(model.row_counts.totals[number]) for model in (first, second))
    assert after[row] == 0.0 and after[row + 1] == before[row + 1]


def _ids(lines: list[str]) -> Ids:
    frame = pl.DataFrame(
        [("item", line.encode(), row, 0, 0, 1.0) for row, line in enumerate(lines)], schema=SCHEMA, orient="row"
    )
    return Ids(frame, 0, {}, {"item": "integer"}, {"item": 3})


Data = input_pipeline.Columns


def night(
    problem: SimpleNamespace, plan: TrainerPlan, folder: Path, start: Path | None = None, data: Data | None = None
) -> trainer.Trained:
    """Trains, and leaves a state in `folder`/run/state."""
    trained = trainer.train(
        plan,
        FeatureLayout.load(problem.transform_graph),
        data or input_pipeline.read_split(problem.train),
        input_pipeline.read_split(problem.eval),
        TrainingCheckpoint(folder / "checkpoint", keeps_best=True),
        folder / "run",
        start=WarmStart(start / "run" / "state", problem.transform_graph) if start else None,
    )
    write_features(folder / "run" / "state", problem.transform_graph)
    return trained


def state_bytes(folder: Path) -> bytes:
    return (folder / "run" / "state" / "variables.npz").read_bytes()


def test_two_nights_are_two_epochs(problem: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bit for bit, if the second pass of the one training has the order of the first: dropout, moments and table passes go on."""
    dataset = input_pipeline.dataset

    def in_one_order(data: Any, size: int, seed: Any, first_pass: int = 0, *rest: Any) -> Any:
        return dataset(data, size, seed, 0, *rest)

    monkeypatch.setattr(input_pipeline, "dataset", in_one_order)
    once, twice = ({"epochs": epochs, "average_weights": False} for epochs in (1, 2))
    whole = night(problem, plan_of(problem, training=twice), tmp_path / "whole")
    night(problem, plan_of(problem, training=once), tmp_path / "1")
    second = night(problem, plan_of(problem, training=once), tmp_path / "2", tmp_path / "1")
    assert (whole.best_round, second.best_round) == (1, 0), "the case that this test needs"
    assert state_bytes(tmp_path / "2") == state_bytes(tmp_path / "whole")


def test_a_night_that_only_gets_worse_exports_its_start(problem: SimpleNamespace, tmp_path: Path) -> None:
    """The labels of the night are turned round, and in other units, in which the score of the start is what it was."""
    plan = plan_of(problem, training={"epochs": 2})
    first = night(problem, plan, tmp_path / "1")
    columns = input_pipeline.read_split(problem.train)
    labels = np.stack([1 - columns.labels[:, 0], -7 * columns.labels[:, 1]], axis=1)
    turned_round = dataclasses.replace(columns, labels=labels)
    second = night(problem, plan, tmp_path / "2", tmp_path / "1", turned_round)
    assert second.best_round == -1 and second.history["best_epoch"] == 0
    start = second.history["start"]["evaluation"]
    assert start["val_score"] == first.best["val_score"] < min(entry["val_score"] for entry in second.rounds)
    assert start["val_loss"] == first.best["val_loss"]
    assert state_bytes(tmp_path / "2") == state_bytes(tmp_path / "1")
    for task, values in logits(problem, first.model).items():
        np.testing.assert_array_equal(logits(problem, second.model)[task], values)
    # As after a kill before the export: the checkpoint knows the start.
    again = night(problem, plan, tmp_path / "2", tmp_path / "1", turned_round)
    assert again.history == second.history
