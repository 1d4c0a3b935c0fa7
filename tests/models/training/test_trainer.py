"""The trainer: what it writes, the same result from the same seed, going on after a kill, and its errors."""

from __future__ import annotations

import dataclasses
import glob
import json
import signal
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args

import forked
import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf
from tfx.components.trainer.fn_args_utils import FnArgs

from models.features import input_pipeline
from models.features.layout import FeatureLayout
from models.recipe.errors import InputError, TrainingError
from models.recipe.model import Training
from models.recipe.recipe import Recipe
from models.serving.inference import load_named, load_predictor, load_server
from models.serving.inputs import read_expected, read_inputs, serialize_examples
from models.serving.named_rows import page_of, rank_columns
from models.training import trainer
from models.training.checkpoint import TrainingCheckpoint, checkpoint_folder
from models.training.compiling import OPTIMIZERS
from models.training.expert_use import expert_use, mean_gates
from models.training.plan import TrainerPlan

ROOT = Path(__file__).parents[3]

PATIENT = {"epochs": 6, "patience": 2}


def make_plan(problem: SimpleNamespace, model: dict[str, Any] | None = None, **training: Any) -> TrainerPlan:
    recipe = {**problem.recipe, "training": {**problem.recipe["training"], **training}}
    recipe["model"] = {**recipe["model"], **(model or {})}
    return TrainerPlan.from_recipe(Recipe.model_validate(recipe))


def fn_args(problem: SimpleNamespace, plan: TrainerPlan, node: Path, run: int) -> FnArgs:
    (node / "model_run" / str(run)).mkdir(parents=True)
    return FnArgs(
        train_files=[problem.train],
        eval_files=[problem.eval],
        transform_graph_path=str(problem.transform_graph),
        serving_model_dir=str(node / "model" / str(run) / "Format-Serving"),
        model_run_dir=str(node / "model_run" / str(run)),
        custom_config={"plan": plan.model_dump_json()},
    )


def train(
    problem: SimpleNamespace,
    plan: TrainerPlan,
    folder: Path,
    data: input_pipeline.Columns | None = None,
    evaluation: input_pipeline.Columns | None = None,
) -> trainer.Trained:
    return trainer.train(
        plan,
        FeatureLayout.load(problem.transform_graph),
        data or input_pipeline.read_split(problem.train),
        evaluation or contrary(problem),
        TrainingCheckpoint(folder / "checkpoint"),
        folder / "run",
    )


def contrary(problem: SimpleNamespace) -> input_pipeline.Columns:
    """An eval split in which everything is the other way round: the first epoch is the best."""
    columns = input_pipeline.read_split(problem.eval)
    return dataclasses.replace(columns, labels=np.stack([1 - columns.labels[:, 0], -columns.labels[:, 1]], axis=1))


def weights(trained: trainer.Trained) -> list[np.ndarray]:
    return [variable.numpy() for variable in trained.model.variables]


def losses(epochs: list[dict[str, Any]]) -> list[dict[str, float]]:
    return [{name: value for name, value in entry.items() if "loss" in name} for entry in epochs]


@pytest.fixture(scope="module")
def node(problem: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a Trainer's node after `run_fn`."""
    folder = tmp_path_factory.mktemp("pipeline") / "Trainer"
    trainer.run_fn(fn_args(problem, make_plan(problem, importance=True), folder, 1))
    return folder


@pytest.fixture(scope="module")
def stopped(problem: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> trainer.Trained:
    """A training that was never interrupted and stopped early."""
    return train(problem, make_plan(problem, **PATIENT), tmp_path_factory.mktemp("stopped"))


def test_what_is_written(node: Path, problem: SimpleNamespace) -> None:
    run = node / "model_run" / "1"
    history = json.loads((run / "history.json").read_text())
    assert set(history["shrinkage"]) == {"click"}  # `value` has too few validate examples to choose
    assert history["loss_options"] == {}
    assert history["rows"] == 300 and 1 <= history["best_epoch"] <= 3
    assert [entry["epoch"] for entry in history["epochs"]] == [1, 2, 3]
    assert set(history["epochs"][0]) == {
        *("epoch", "step", "seconds", "examples_per_second", "loss", "val_loss", "val_score"),
        *("click_loss", "value_loss", "val_click_loss", "val_value_loss"),
    }
    first, last = history["epochs"][0], history["epochs"][-1]
    assert last["val_loss"] < first["val_loss"], "it learns"
    assert last["val_loss"] == pytest.approx(last["val_click_loss"] + 0.5 * last["val_value_loss"], rel=1e-5)
    gates = json.loads((run / "gates.json").read_text())
    assert set(gates) == {"click", "value"}
    assert [sum(shares) for shares in gates.values()] == pytest.approx([1, 1], abs=1e-5)
    use = json.loads((run / "experts.json").read_text())
    assert mean_gates(use) == gates and use["tasks"]["click"]["experts"] == ["1", "2"]
    rises = json.loads((run / "importance.json").read_text())
    assert set(rises["rises"]) == {"device", "item", "tags", "age"} and rises["examples"] == 70
    assert max(rises["rises"]["age"]["click"]) > 0.01
    files = {"history.json", "gates.json", "experts.json", "importance.json", "train", "validation"}
    assert {path.name for path in run.iterdir()} == files
    assert {path.name for path in node.iterdir()} == {"model", "model_run"}, "the checkpoint is gone"


def test_served_are_the_trainers_own_predictions(node: Path, problem: SimpleNamespace) -> None:
    model = node / "model" / "1" / "Format-Serving"
    expected, notes = read_expected(model), read_inputs(model)
    assert expected["example_ids"] == [0, 10, 20, 30, 40]
    assert notes["inputs"] == problem.inputs and notes["tasks"] == {"click": "binary", "value": "regression"}
    requests = serialize_examples(problem.rows["eval"], notes["inputs"])
    server = load_server(model)
    batch, single = server(requests), [server([request]) for request in requests[:5]]
    packed = load_predictor(model)(
        {name: array[:] for name, array in input_pipeline.read_split(problem.eval).arrays.items()}
    )
    for task, values in expected["predictions"].items():
        assert len(values) == 5
        np.testing.assert_allclose(batch[task][:5], values, atol=1e-5)
        np.testing.assert_allclose([answer[task][0] for answer in single], values, atol=1e-5)
        np.testing.assert_allclose(packed[task], batch[task], atol=1e-5)
    # Five candidates of the first example's user, whose part is computed once.
    rows = problem.rows["eval"][:5]
    whole = [{**row, "age": rows[0]["age"]} for row in rows]
    alone, ranked = (
        server(serialize_examples(whole, notes["inputs"])),
        load_named(model, "rank")[0](rank_columns(page_of(rows[0], rows, notes["inputs"]), notes["inputs"])),
    )
    for task, values in alone.items():
        np.testing.assert_allclose(ranked[task], values, rtol=1e-6, atol=1e-6)
    np.testing.assert_array_equal(ranked["score"], ranked["click"], "the first task, where the recipe has no formula")
    assert ((batch["click"] > 0) & (batch["click"] < 1)).all() and np.ptp(batch["click"]) > 0.01


def test_a_loss_of_several_logits_is_trained_exported_and_asked(problem: SimpleNamespace, tmp_path: Path) -> None:
    """Amounts that are mostly 0: three logits for each example, one prediction. And half of the negatives of the other task."""
    files = {}
    for split in ("train", "eval"):
        folder = tmp_path / "examples" / split
        folder.mkdir(parents=True)
        for file in map(Path, sorted(glob.glob(getattr(problem, split)))):
            table = pa.ipc.open_file(str(file)).read_all()
            click = np.array(table["labels"].to_pylist(), np.float32)[:, 0]
            device = np.array(table["categorical"].to_pylist(), np.float32)[:, 0]
            labels = np.stack([click, click * np.exp(device)], axis=1)  # on average 1, or e, e^2 ... on each device
            arrays = {"labels": labels, "weights": np.ones_like(labels)}
            for name, array in arrays.items():
                at, type_ = table.schema.get_field_index(name), table.schema.field(name).type
                table = table.set_column(at, name, pa.array(array.tolist(), type_))
            with pa.OSFile(str(folder / file.name), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
                writer.write_table(table)
        files[split] = str(folder / "*")
    value = {**problem.recipe["tasks"]["value"], "loss": "zero_inflated_lognormal"}
    click = {**problem.recipe["tasks"]["click"], "negative_rate": 0.5}
    recipe = {**problem.recipe, "tasks": {"click": click, "value": value}}
    mostly_zero = SimpleNamespace(**{**vars(problem), **files, "recipe": recipe})
    trainer.run_fn(fn_args(mostly_zero, make_plan(mostly_zero), tmp_path, 1))
    history = json.loads((tmp_path / "model_run" / "1" / "history.json").read_text())
    assert history["trained_rows"] == history["rows"], "`value` is observed on every row"
    assert history["parameters"]["embeddings"] > 0 and history["parameters"]["network"] > 0
    assert make_plan(mostly_zero).tasks["click"].negative_rate == 0.5
    epochs = history["epochs"]
    assert epochs[-1]["val_value_loss"] < epochs[0]["val_value_loss"] - 0.005
    model = tmp_path / "model" / "1" / "Format-Serving"
    inputs, expected = read_inputs(model)["inputs"], read_expected(model)["predictions"]
    rows = problem.rows["eval"]
    answered = load_server(model)(serialize_examples(rows, inputs))
    assert {values.shape for values in answered.values()} == {(len(rows),)}
    for task, values in expected.items():
        np.testing.assert_allclose(answered[task][:5], values, rtol=1e-5)
    assert (answered["value"] > 0).all() and np.ptp(answered["value"]) > 0.1
    page = [{**row, "age": rows[0]["age"]} for row in rows[:5]]
    ranked = load_named(model, "rank")[0](rank_columns(page_of(page[0], page, inputs), inputs))
    for task, values in load_server(model)(serialize_examples(page, inputs)).items():
        np.testing.assert_allclose(ranked[task], values, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("at", [(2, 0), (1, 4), (0, 8)])
def test_the_same_seed_gives_the_same_model_in_another_process(
    stopped: trainer.Trained, problem: SimpleNamespace, tmp_path: Path, at: tuple[int, int]
) -> None:
    """... and this other one is killed with -9, after so many epochs and so many steps of the next.

    The first epoch was the best.
    """
    assert (stopped.best_round, len(stopped.rounds)) == (0, 3), "the case that this test needs"
    # Often enough for a state after each call of 4 steps.
    plan = make_plan(problem, **PATIENT, steps_per_execution=4, checkpoint_minutes=1e-9)
    files = [problem.transform_graph, problem.train, problem.eval]
    arguments = [plan.model_dump_json(), *map(str, (*files, tmp_path, *at))]
    printed = tmp_path / "printed"
    killed = forked.start([sys.executable, "-m", "killed_training", *arguments], ROOT, printed, printed)
    assert killed.wait() == -signal.SIGKILL, printed.read_text()[-3000:]

    resumed = train(problem, plan, tmp_path)
    assert resumed.best_round == 0
    assert losses(resumed.rounds) == losses(stopped.rounds), "a part by the killed process, the rest by this"
    assert all(np.array_equal(a, b) for a, b in zip(weights(resumed), weights(stopped), strict=True))

    again = train(problem, plan, tmp_path)
    assert losses(again.rounds) == losses(stopped.rounds), "nothing left to train: killed before the export"
    assert all(np.array_equal(a, b) for a, b in zip(weights(again), weights(stopped), strict=True))


def test_an_auxiliary_task_is_trained_and_not_exported(problem: SimpleNamespace, tmp_path: Path) -> None:
    value = {**problem.recipe["tasks"]["value"], "role": "auxiliary"}
    recipe = {**problem.recipe, "tasks": {**problem.recipe["tasks"], "value": value}}
    helped = SimpleNamespace(**{**vars(problem), "recipe": recipe})
    trainer.run_fn(fn_args(helped, make_plan(helped, epochs=1), tmp_path, 1))
    (entry,) = json.loads((tmp_path / "model_run" / "1" / "history.json").read_text())["epochs"]
    # The main task alone makes the score; its constant on the validate split has the loss of its share of positives.
    assert entry["value_loss"] > 0 and entry["val_value_loss"] > 0
    columns = input_pipeline.read_split(problem.eval)
    observed = columns.weights[:, 0] > 0
    share = np.mean(input_pipeline.read_split(problem.train).labels[:, 0])
    labels = columns.labels[observed, 0]
    constant = -np.mean(labels * np.log(share) + (1 - labels) * np.log(1 - share))
    assert entry["val_score"] == pytest.approx(entry["val_click_loss"] / constant, rel=0.01)
    model = tmp_path / "model" / "1" / "Format-Serving"
    inputs = read_inputs(model)
    assert inputs["tasks"] == {"click": "binary"}
    assert set(read_expected(model)["predictions"]) == {"click"}
    rows = problem.rows["eval"][:3]
    assert set(load_server(model)(serialize_examples(rows, inputs["inputs"]))) == {"click"}
    page = [{**row, "age": rows[0]["age"]} for row in rows]
    ranked = load_named(model, "rank")[0](rank_columns(page_of(page[0], page, inputs["inputs"]), inputs["inputs"]))
    assert set(ranked) == {"click", "score", "ranking"}


def test_another_seed_gives_another_model(stopped: trainer.Trained, problem: SimpleNamespace, tmp_path: Path) -> None:
    other = train(problem, make_plan(problem, **{**PATIENT, "epochs": 1}, seed=2), tmp_path)
    assert losses(other.rounds)[0] != losses(stopped.rounds)[0]


def test_the_best_rounds_weights_are_kept(stopped: trainer.Trained, problem: SimpleNamespace, tmp_path: Path) -> None:
    one = train(problem, make_plan(problem, **{**PATIENT, "epochs": 1}), tmp_path)
    assert all(np.array_equal(a, b) for a, b in zip(weights(one), weights(stopped), strict=True))


@pytest.mark.parametrize("xla", [False, True])
def test_steps_that_steps_per_execution_does_not_divide(
    stopped: trainer.Trained, problem: SimpleNamespace, tmp_path: Path, xla: bool
) -> None:
    """300 examples are 10 steps of 32: 4 + 4 + 2."""
    plan = make_plan(problem, **{**PATIENT, "epochs": 1}, steps_per_execution=4, jit_compile=xla)
    trained = train(problem, plan, tmp_path)
    assert int(trained.model.optimizer.iterations) == 10
    assert losses(trained.rounds)[0] == pytest.approx(losses(stopped.rounds)[0], rel=1e-4 if xla else 1e-6)


@pytest.mark.parametrize("options", [{"jit_compile": True}, {"steps_per_execution": 4}])
def test_a_step_is_traced_in_the_first_epoch_only(
    problem: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]
) -> None:
    """Three epochs of 10 steps, the last batch filled up, each followed by 3 steps of evaluation."""
    traced = []
    for name in ("train_step", "test_step"):
        step = getattr(trainer.MultiTaskModel, name)

        def counted(self: Any, data: Any, name: str = name, step: Any = step) -> Any:
            traced.append(name)
            return step(self, data)

        monkeypatch.setattr(trainer.MultiTaskModel, name, counted)
    saves = []
    monkeypatch.setattr(TrainingCheckpoint, "save", lambda self, model, progress: saves.append(len(traced)))
    monkeypatch.setattr(TrainingCheckpoint, "restore_best", lambda self, model, stopping: None)
    train(problem, make_plan(problem, epochs=3, patience=3, **options), tmp_path)
    assert set(traced) == {"train_step", "test_step"}
    assert saves == [len(traced)] * 3, "as many after the first epoch as after the last"


def test_bfloat16_is_near_float32_and_predicts_in_float32(problem: SimpleNamespace, tmp_path: Path) -> None:
    at_rest = {"options": {"mmoe": {"experts": 2, "units": [8], "tower_units": [4]}}}
    trained = {
        precision: train(
            problem,
            make_plan(problem, at_rest, precision=precision, jit_compile=True),
            tmp_path / precision,
            evaluation=input_pipeline.read_split(problem.eval),
        )
        for precision in ("float32", "mixed_bfloat16")
    }
    one, other = trained["float32"], trained["mixed_bfloat16"]
    assert losses(one.rounds) != losses(other.rounds)
    assert losses(other.rounds)[-1] == pytest.approx(losses(one.rounds)[-1], rel=0.02)
    assert {variable.dtype for variable in other.model.trainable_variables} == {"float32"}
    columns = input_pipeline.read_split(problem.eval)
    again = train(
        problem,
        make_plan(problem, at_rest, precision="mixed_bfloat16", jit_compile=True),
        tmp_path / "again",
        evaluation=columns,
    )
    assert losses(again.rounds) == losses(other.rounds)
    features = {name: array[:] for name, array in columns.arrays.items()}
    eager = other.model.predictions(features)
    compiled = tf.function(other.model.predictions, jit_compile=True)(features)
    for task in eager:
        assert eager[task].dtype == tf.float32
        np.testing.assert_allclose(eager[task], compiled[task], atol=1e-5)


def test_a_batch_larger_than_the_data_is_the_data(problem: SimpleNamespace, tmp_path: Path) -> None:
    plan = make_plan(problem, {"architecture": "single_task"}, batch_size=100_000, epochs=1, optimizer="adagrad")
    trained = train(problem, plan, tmp_path)
    assert int(trained.model.optimizer.iterations) == 1
    assert np.isfinite(trained.rounds[0]["val_loss"])
    use = expert_use(trained.model, input_pipeline.read_split(problem.eval), 100)
    assert use == {"tasks": {}, "dead": []} and mean_gates(use) == {}


def test_a_loss_that_is_not_a_number_names_the_task_and_the_step(problem: SimpleNamespace, tmp_path: Path) -> None:
    data = input_pipeline.read_split(problem.train)
    labels = data.labels[:]
    labels[:, 1] = np.where(np.arange(300) % 2, 1e30, -1e30)  # the square is more than float32 holds
    with pytest.raises(TrainingError, match=r"task 'value' is not finite from step 0 on.*squared_log_error"):
        train(problem, make_plan(problem), tmp_path, dataclasses.replace(data, labels=labels))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"weights": np.zeros((300, 2), np.float32)}, "Task 'click' has no observed example in the train split"),
        ({"tasks": ("click", "like")}, r"The train split has labels of \('click', 'like'\), but the recipe has tasks"),
    ],
)
def test_nothing_to_learn_from(problem: SimpleNamespace, tmp_path: Path, change: dict[str, Any], message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        train(
            problem,
            make_plan(problem),
            tmp_path,
            dataclasses.replace(input_pipeline.read_split(problem.train), **change),
        )


def test_an_empty_split_is_told(problem: SimpleNamespace, tmp_path: Path) -> None:
    args = fn_args(problem, make_plan(problem), tmp_path / "Trainer", 1)
    args.train_files = [str(tmp_path / "Split-train" / "*")]
    with pytest.raises(InputError, match=r"Split-train.*no file matches"):
        trainer.run_fn(args)


def test_the_checkpoint_is_beside_the_runs_and_named_by_what_is_trained(tmp_path: Path) -> None:
    def folder(run: int, files: str = "a/*", plan: str = "{}") -> Path:
        return checkpoint_folder(tmp_path / "Trainer" / "model_run" / str(run), [files], {"plan": plan})

    assert folder(1).parent == tmp_path / "Trainer" / ".checkpoint"
    assert folder(1) == folder(2)
    assert len({folder(1), folder(1, files="b/*"), folder(1, plan='{"seed": 2}')}) == 3


def test_the_checkpoint_goes_where_the_pipeline_says(tmp_path: Path) -> None:
    config = {"plan": "{}", "checkpoints": str(tmp_path / "volume")}
    folders = {checkpoint_folder(tmp_path / run / "model_run" / "1", ["a/*"], config) for run in ("x", "y")}
    assert len(folders) == 1 and folders.pop().parent == tmp_path / "volume"


def test_every_optimizer_of_the_recipe_is_known() -> None:
    assert set(OPTIMIZERS) == set(get_args(Training.model_fields["optimizer"].annotation))
