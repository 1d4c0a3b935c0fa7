"""`training.distill`: mixed labels, a teacher that leaves no trace, the same result after a kill, and what it is good for."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tfx.components.trainer.fn_args_utils import FnArgs

from models.features import input_pipeline
from models.features.input_pipeline import Columns
from models.features.layout import FeatureLayout
from models.recipe.model import Training
from models.recipe.recipe import Recipe
from models.training import trainer
from models.training.checkpoint import Progress, TrainingCheckpoint
from models.training.distilling import KeptPredictions, Taught, learn_from_teacher, with_mixed_labels
from models.training.plan import DistillPlan, TaskPlan, TrainerPlan
from models.training.teacher_file import PREDICTIONS, write_predictions

Train = Callable[..., trainer.Trained]
TASKS = ("click", "buy")
LAYOUT = FeatureLayout(tables={}, categorical=(), multivalued={}, numeric=("x",))


def plan_of(problem: SimpleNamespace, **distill: Any) -> TrainerPlan:
    training = {**problem.recipe["training"], "distill": {"teacher": "shared_bottom", **distill}}
    return TrainerPlan.from_recipe(Recipe.model_validate({**problem.recipe, "training": training}))


def simple_plan(architecture: str, distill: DistillPlan | None = None, **training: Any) -> TrainerPlan:
    """A plan for `LAYOUT`."""
    return TrainerPlan(
        tasks={task: TaskPlan(kind="binary", loss="binary_crossentropy", weight=1.0) for task in TASKS},
        architecture=architecture,
        options={} if architecture == "linear" else {"units": (32,), "tower_units": (16,)},
        balancer="fixed",
        balancer_options={},
        regularizers={},
        training=Training.model_validate({"jit_compile": False, **training}),
        probe_requests=1,
        inputs={},
        distill=distill,
    )


def two_rows() -> Columns:
    """`click` is observed on three of four rows, `buy` on the first, nothing on the last; the weights are of the examples."""
    labels = np.float32([[1, 1], [0, np.nan], [1, np.nan], [0, np.nan]])
    weights = np.float32([[2, 2], [1, 0], [3, 0], [0, 0]])
    return Columns({"numeric": np.zeros((4, 1), np.float32)}, labels, weights, np.arange(4), TASKS)


TEACHER = {"click": np.float32([0.5, 0.5, 0.25, 0.75]), "buy": np.float32([0.5, 0.25, 0.75, 1.0])}


def test_labels_mixed_by_hand() -> None:
    plan = DistillPlan(teacher=simple_plan("linear"), tasks=TASKS, share=0.25, unobserved=False)
    mixed = with_mixed_labels(two_rows(), TEACHER, plan)
    # 0.75 * 1 + 0.25 * 0.5, 0.75 * 0 + 0.25 * 0.5, 0.75 * 1 + 0.25 * 0.25
    np.testing.assert_array_equal(mixed.labels[:3, 0], np.float32([0.875, 0.125, 0.8125]))
    np.testing.assert_array_equal(mixed.labels[:, 1], np.float32([0.875, np.nan, np.nan, np.nan]))
    np.testing.assert_array_equal(mixed.weights, two_rows().weights)


def test_unobserved_rows_learn_from_the_teacher_alone() -> None:
    plan = DistillPlan(teacher=simple_plan("linear"), tasks=("buy",), share=0.25, unobserved=True)
    mixed = with_mixed_labels(two_rows(), {"buy": TEACHER["buy"]}, plan)
    np.testing.assert_array_equal(mixed.labels[:, 0], two_rows().labels[:, 0], "not distilled")
    np.testing.assert_array_equal(mixed.labels[:3, 1], np.float32([0.875, 0.25, 0.75]))
    # The weight of the example times the share; an example on which nothing is observed stays out.
    np.testing.assert_array_equal(mixed.weights, np.float32([[2, 2], [1, 0.25], [3, 0.75], [0, 0]]))


Setting = tuple[FeatureLayout, Columns, Columns]
"""Feature layout, train split, validate split."""


def setting_of(problem: SimpleNamespace) -> Setting:
    data, evaluation = (input_pipeline.read_split(getattr(problem, split)) for split in ("train", "eval"))
    return FeatureLayout.load(problem.transform_graph), data, evaluation


def taught_by(setting: Setting, plan: TrainerPlan, checkpoint: TrainingCheckpoint, train: Train) -> Taught:
    return learn_from_teacher(plan, *setting, checkpoint, checkpoint.folder.parent / "run", train)


def trained_by(
    setting: Setting, plan: TrainerPlan, checkpoint: TrainingCheckpoint, taught: Taught
) -> list[NDArray[Any]]:
    """The weights of the model."""
    run = checkpoint.folder.parent / "run"
    trained = trainer.train(plan, *setting, checkpoint, run, taught=taught.columns)
    return [variable.numpy() for variable in trained.model.variables]


def equal(ones: list[NDArray[Any]], others: list[NDArray[Any]]) -> bool:
    return all(np.array_equal(one, other) for one, other in zip(ones, others, strict=True))


def test_a_share_of_0_is_no_distillation(problem: SimpleNamespace, tmp_path: Path) -> None:
    """Bit for bit: the teacher, which is trained before, leaves no trace in the process either."""
    plan, setting, found = plan_of(problem, share=0.0, unobserved=True), setting_of(problem), []
    for folder in ("taught", "alone"):
        checkpoint = TrainingCheckpoint(tmp_path / folder / "checkpoint")
        taught = taught_by(setting, plan, checkpoint, trainer.train) if folder == "taught" else Taught()
        found.append(trained_by(setting, plan, checkpoint, taught))
    assert equal(*found)


class Killed(TrainingCheckpoint):
    """Stops after a state within the second round."""

    def save(self, model: Any, progress: Progress) -> None:
        super().save(model, progress)
        if (progress.round, progress.steps) == (1, 4):
            raise InterruptedError


def never(*arguments: Any) -> trainer.Trained:
    raise AssertionError("the teacher is trained again")


def test_a_killed_run_goes_on_with_the_same_result(tmp_path: Path) -> None:
    """Killed in the teacher's training, and then in the model's."""
    options = {"epochs": 2, "batch_size": 32, "evaluate_every": 300, "patience": 3, "average_weights": True}
    options |= {"steps_per_execution": 4, "checkpoint_minutes": 1e-9}
    teacher = simple_plan("shared_bottom", **options)
    plan = simple_plan("linear", DistillPlan(teacher=teacher, tasks=TASKS, share=0.5, unobserved=True), **options)
    setting = (LAYOUT, population(1, 300)[0], population(9, 300)[0])
    whole = TrainingCheckpoint(tmp_path / "whole" / "checkpoint")
    expected = trained_by(setting, plan, whole, taught_by(setting, plan, whole, trainer.train))

    def killed_train(plan: Any, layout: Any, data: Any, evaluation: Any, checkpoint: Any, run: Path) -> trainer.Trained:
        return trainer.train(plan, layout, data, evaluation, Killed(checkpoint.folder), run)

    killed = Killed(tmp_path / "killed" / "checkpoint")
    with pytest.raises(InterruptedError):
        taught_by(setting, plan, killed, killed_train)
    taught = taught_by(setting, plan, killed, trainer.train)
    with pytest.raises(InterruptedError):
        trained_by(setting, plan, killed, taught)
    checkpoint = TrainingCheckpoint(killed.folder)
    again = taught_by(setting, plan, checkpoint, never)
    np.testing.assert_array_equal(again.columns.labels, taught.columns.labels)
    assert equal(trained_by(setting, plan, checkpoint, again), expected)


def test_the_teacher_is_trained_as_the_model_with_the_next_seed(problem: SimpleNamespace, tmp_path: Path) -> None:
    """... also where a run on Kubeflow has set epochs and seed in the plan of the model."""
    plan, plans = plan_of(problem), []
    plan = plan.model_copy(update={"training": plan.training.model_copy(update={"epochs": 9, "seed": 2**32 - 1})})

    def trained(plan: TrainerPlan, *arguments: Any) -> trainer.Trained:
        plans.append(plan)
        raise InterruptedError

    with pytest.raises(InterruptedError):
        taught_by(setting_of(problem), plan, TrainingCheckpoint(tmp_path / "checkpoint"), trained)
    assert plans[0].training == plan.training.model_copy(update={"seed": 0})
    assert plans[0].architecture == "shared_bottom"


def test_run_fn_distils_and_says_so(problem: SimpleNamespace, tmp_path: Path) -> None:
    node, plan = tmp_path / "Trainer", plan_of(problem, tasks=["value"], share=0.25)
    plan = plan.model_copy(update={"training": plan.training.model_copy(update={"epochs": 1})})
    run = node / "model_run" / "1"
    run.mkdir(parents=True)
    trainer.run_fn(
        FnArgs(
            train_files=[problem.train],
            eval_files=[problem.eval],
            transform_graph_path=str(problem.transform_graph),
            serving_model_dir=str(node / "model" / "1" / "Format-Serving"),
            model_run_dir=str(run),
            custom_config={"plan": plan.model_dump_json()},
        )
    )
    about = json.loads((run / "history.json").read_text())["distill"]
    assert (about["teacher"], about["share"], set(about["calibration"])) == ("shared_bottom", 0.25, {"value"})
    assert {path.name for path in node.iterdir()} == {"model", "model_run"}, "the checkpoints are gone"


def test_kept_predictions(tmp_path: Path) -> None:
    """Tasks may have the names of NumPy's own arguments."""
    kept = KeptPredictions(tmp_path / "of" / "teacher.npz")
    assert kept.read() is None
    kept.write({"file": np.float32([1, 2]), "args": np.float32([3, 4])})
    assert {task: values.tolist() for task, values in kept.read().items()} == {"file": [1, 2], "args": [3, 4]}
    kept.remove()
    assert not kept.path.parent.exists()


def population(seed: int, rows: int) -> tuple[Columns, NDArray[np.float32]]:
    """`buy` is a parabola of x in log odds, and is observed after a click, which is frequent where x is large. Returns the truth."""
    random = np.random.default_rng(seed)
    x = random.normal(size=rows)
    click = random.random(rows) < 1 / (1 + np.exp(1.0 - 2.5 * x))
    truth = 1 / (1 + np.exp(1.5 - np.square(x)))
    labels = np.stack([click, random.random(rows) < truth], axis=1).astype(np.float32)
    weights = np.stack([np.ones(rows), click], axis=1).astype(np.float32)
    columns = Columns({"numeric": x[:, None].astype(np.float32)}, labels, weights, np.arange(rows), TASKS)
    return columns, truth.astype(np.float32)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_small_model_learns_the_unclicked_rows_from_a_teacher(seed: int, tmp_path: Path) -> None:
    """A linear model follows the clicked rows, on which more x means more purchases. Over all rows x and -x are alike."""
    (data, truth), (validate, _) = population(seed, 4000), population(9, 2000)
    options = {"epochs": 6, "batch_size": 128, "learning_rate": 0.01, "seed": seed}
    teacher = simple_plan("shared_bottom", **options)
    plan = simple_plan("linear", DistillPlan(teacher=teacher, tasks=TASKS, share=0.9, unobserved=True), **options)
    losses = {}
    for name, folder in (("alone", tmp_path / "alone"), ("taught", tmp_path / "taught")):
        checkpoint = TrainingCheckpoint(folder / "checkpoint")
        taught = Taught()
        if name == "taught":
            taught = learn_from_teacher(plan, LAYOUT, data, validate, checkpoint, folder / "run", trainer.train)
            assert list(taught.about["distill"]["calibration"].values()) == pytest.approx([1, 1], abs=0.05)
        found = trainer.train(plan, LAYOUT, data, validate, checkpoint, folder / "run", taught=taught.columns)
        prediction = np.asarray(found.model.predictions({"numeric": data.arrays["numeric"][:]})["buy"])
        losses[name] = -np.mean(truth * np.log(prediction) + (1 - truth) * np.log(1 - prediction))
    assert losses["taught"] < losses["alone"] - 0.02


def test_a_blessed_model_teaches_by_its_predictions(tmp_path: Path) -> None:
    """In any order of the examples; a task that it does not predict learns from its labels."""
    plan = simple_plan("linear", DistillPlan(teacher=None, tasks=TASKS, share=0.25, unobserved=False))
    data, checkpoint = two_rows(), TrainingCheckpoint(tmp_path / "checkpoint")
    order = [2, 0, 3, 1]
    write_predictions(tmp_path / PREDICTIONS, data.example_id[order], {"click": TEACHER["click"][order]})
    taught = learn_from_teacher(plan, LAYOUT, data, data, checkpoint, tmp_path, never, str(tmp_path))
    np.testing.assert_array_equal(taught.columns.labels[:3, 0], np.float32([0.875, 0.125, 0.8125]))
    np.testing.assert_array_equal(taught.columns.labels[:, 1], data.labels[:, 1])
    # (2 * 0.5 + 1 * 0.5 + 3 * 0.25) / (2 * 1 + 3 * 1)
    assert taught.about == {"distill": {"teacher": "blessed", "share": 0.25, "calibration": {"click": 0.45}}}


def test_predictions_within_the_range_of_the_labels(tmp_path: Path) -> None:
    """The blessed model may have had another loss, such as one that predicts amounts below 0."""
    plan = simple_plan("linear", DistillPlan(teacher=None, tasks=("click",), share=1.0, unobserved=False))
    click = plan.tasks["click"].model_copy(update={"kind": "regression", "loss": "poisson"})
    plan = plan.model_copy(update={"tasks": {**plan.tasks, "click": click}})
    write_predictions(tmp_path / PREDICTIONS, np.arange(4), {"click": np.float32([-2, 3, -0.5, 1])})
    checkpoint = TrainingCheckpoint(tmp_path / "checkpoint")
    taught = learn_from_teacher(plan, LAYOUT, two_rows(), two_rows(), checkpoint, tmp_path, never, str(tmp_path))
    assert taught.columns.labels[:3, 0].tolist() == [0, 3, 0]


def test_without_a_blessed_model_the_labels_stay(tmp_path: Path) -> None:
    plan = simple_plan("linear", DistillPlan(teacher=None, tasks=TASKS, share=0.25, unobserved=True))
    write_predictions(tmp_path / PREDICTIONS, np.arange(4), {})
    checkpoint = TrainingCheckpoint(tmp_path / "checkpoint")
    taught = learn_from_teacher(plan, LAYOUT, two_rows(), two_rows(), checkpoint, tmp_path, never, str(tmp_path))
    assert taught.columns is None and taught.about["distill"]["teacher"] is None
