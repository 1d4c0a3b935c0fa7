"""Losses within groups, trained: the order within groups is learnt, and the predictions stay calibrated."""

from __future__ import annotations

import dataclasses
import glob
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
from linear_plan import linear_plan
from tfx.components.trainer.fn_args_utils import FnArgs

from models.features.groups import GROUP, as_pairs
from models.features.input_pipeline import Columns
from models.features.layout import FeatureLayout
from models.recipe.recipe import Recipe
from models.serving.inference import load_server
from models.serving.inputs import read_expected, read_inputs, serialize_examples
from models.training import trainer
from models.training.checkpoint import TrainingCheckpoint
from models.training.plan import TaskPlan, TrainerPlan

GROUPS, SIZE = 200, 20
LAYOUT = FeatureLayout(tables={}, categorical=(), multivalued={}, numeric=("x",))


def split(seed: int) -> Columns:
    """The feature rises with the rate of the group, and falls with that of the example within the group."""
    random = np.random.default_rng(seed)
    groups = np.repeat(np.arange(GROUPS, dtype=np.int32), SIZE)
    of_group, own = random.normal(size=GROUPS)[groups], random.normal(scale=0.5, size=GROUPS * SIZE)
    p = 1 / (1 + np.exp(1.0 - 1.5 * of_group + 2.0 * own))
    labels = (random.random(len(p)) < p)[:, None].astype(np.float32)
    x = (of_group + own)[:, None].astype(np.float32)
    # The files have the examples in another order.
    order = random.permutation(len(p))
    return Columns(
        {"numeric": x[order]}, labels[order], np.ones_like(labels), np.arange(len(p)), ("click",), groups[order]
    )


def gauc(data: Columns, predictions: np.ndarray) -> float:
    """Share of the pairs of a positive and a negative of a group that are in order."""
    right = pairs = 0
    for group in range(GROUPS):
        rows = data.groups == group
        positive = data.labels[rows, 0] > 0
        above = predictions[rows][positive][:, None] > predictions[rows][~positive]
        right, pairs = right + above.sum(), pairs + above.size
    return right / pairs


def trained(loss: str, data: Columns, folder: Path) -> np.ndarray:
    """(example,) predictions after four passes."""
    plan = linear_plan(
        {"click": TaskPlan(kind="binary", loss=loss, loss_options={"share": 0.1}, weight=1.0)},
        **{"epochs": 4, "evaluate_every": 4 * len(data.labels), "batch_size": 100, "learning_rate": 0.02},
        shrink_to_constant=True,
    )
    found = trainer.train(plan, LAYOUT, data, split(9), TrainingCheckpoint(folder / "checkpoint"), folder / "run")
    assert np.isfinite(found.rounds[-1]["val_score"])
    return np.asarray(found.model.predictions({"numeric": data.arrays["numeric"][:]})["click"])


@pytest.mark.parametrize("loss", ["jrc", "ranknet", "lambda_ndcg"])
def test_the_order_within_groups_is_learnt_and_the_model_is_calibrated(loss: str, tmp_path: Path) -> None:
    data = split(1)
    predictions = trained(loss, data, tmp_path)
    assert predictions.mean() == pytest.approx(data.labels.mean(), rel=0.06)
    assert gauc(data, predictions) > 0.6


def test_without_groups_the_order_of_the_groups_wins(tmp_path: Path) -> None:
    """Why the loss is there: this is what the test above would miss if the codes did not reach the step."""
    data = split(1)
    predictions = trained("ranknet", dataclasses.replace(data, groups=None), tmp_path)
    assert gauc(data, predictions) < 0.4


def test_from_the_files_to_the_exported_model(problem: SimpleNamespace, tmp_path: Path) -> None:
    """The files have the groups; the checkpoint, the export and the served signature know nothing of them."""
    patterns = {}
    for split_name in ("train", "eval"):
        for file in map(Path, sorted(glob.glob(getattr(problem, split_name)))):
            table = pa.ipc.open_file(file.read_bytes()).read_all()
            hashes = 1 + table["example_id"].to_numpy() % 50
            pairs = pa.FixedSizeListArray.from_arrays(pa.array(as_pairs(hashes).reshape(-1)), 2)
            target = tmp_path / split_name / file.name
            target.parent.mkdir(exist_ok=True)
            table = table.append_column(GROUP, pairs)
            with pa.ipc.new_file(target, table.schema) as writer:
                writer.write_table(table)
        patterns[split_name] = str(tmp_path / split_name / "*")
    tasks = {**problem.recipe["tasks"], "click": {**problem.recipe["tasks"]["click"], "loss": "jrc"}}
    changed = {"tasks": tasks, "training": {**problem.recipe["training"], "epochs": 1}}
    recipe = Recipe.model_validate({**problem.recipe, **changed})
    model = tmp_path / "model" / "Format-Serving"
    (tmp_path / "model_run").mkdir()
    trainer.run_fn(
        FnArgs(
            train_files=[patterns["train"]],
            eval_files=[patterns["eval"]],
            transform_graph_path=str(problem.transform_graph),
            serving_model_dir=str(model),
            model_run_dir=str(tmp_path / "model_run"),
            custom_config={"plan": TrainerPlan.from_recipe(recipe).model_dump_json()},
        )
    )
    answered = load_server(model)(serialize_examples(problem.rows["eval"][:5], read_inputs(model)["inputs"]))
    np.testing.assert_allclose(answered["click"], read_expected(model)["predictions"]["click"], rtol=1e-5)
