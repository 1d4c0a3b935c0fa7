"""Every architecture on a cut of Census-Income: trained, exported and asked. Skipped where the data are not beside the checkout."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pyarrow.parquet as pq
import pytest
import tensorflow as tf
import yaml

from benchmarks.stages import ours
from benchmarks.task_correlation import options_of
from models.architectures import ARCHITECTURES
from models.features.input_pipeline import dataset, read_split
from models.features.layout import FeatureLayout
from models.features.preprocessing import pack, raw_feature_spec
from models.recipe.file import load_recipe
from models.recipe.recipe import Recipe
from models.serving.export import export
from models.serving.inference import load_named
from models.serving.inputs import read_inputs, serialize_examples
from models.serving.named_rows import named_columns, page_of, rank_columns
from models.training.build import build_model, for_one_user
from models.training.compiling import compile_model
from models.training.plan import TrainerPlan
from models.training.rounds import rounds_of

pytestmark = pytest.mark.slow

FILES = {"census_income_kdd_train.parquet": 60, "census_income_kdd_test.parquet": 600}
"""{file: of how many rows one is taken}."""
FEATURES = ("age", "sex", "weeks_worked_in_year", "education")
USER = ("age", "sex")
TASKS = ("income", "never_married")
TRAINING = {"epochs": 1, "jit_compile": False, "learning_rate": 0.05, "average_weights": False}
STEPS = 3


@dataclasses.dataclass(frozen=True)
class Census:
    """The features of the cut, their recipe, and a page: raw rows with the first one's user, and as the model reads them."""

    folder: Path
    recipe: Recipe
    page: list[dict[str, Any]]
    packed: dict[str, Any]


@pytest.fixture(scope="module")
def census(real_data: Path, shop_recipe: Path, tmp_path_factory: pytest.TempPathFactory) -> Census:
    folder = tmp_path_factory.mktemp("census-cut")
    for name, every in FILES.items():
        table = pq.read_table(real_data / name)
        table = table.take(np.arange(0, len(table), every))
        pq.write_table(table, folder / name)
    recipe = yaml.safe_load(shop_recipe.with_name("census_income.yaml").read_text())
    for name in USER:
        recipe["features"][name]["side"] = "user"
    recipe["features"] = {name: recipe["features"][name] for name in FEATURES}
    recipe["model"] = {"embedding_dim": 2}
    recipe["training"] = TRAINING
    recipe["evaluation"] = {
        key: value for key, value in recipe["evaluation"].items() if key not in ("references", "gates")
    }
    (folder / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    parsed = load_recipe(folder / "recipe.yaml", (), str(folder))
    ours.event_logs(parsed, folder, folder)
    ours.features(parsed, folder, folder)
    inputs = {column: about.model_dump() for column, about in TrainerPlan.from_recipe(parsed).inputs.items()}
    page = table.select([*inputs]).slice(0, 9).to_pylist()
    page = [{**row, **{column: page[0][column] for column in USER}} for row in page]
    graph = folder / "transform_graph"
    examples = tf.io.parse_example(serialize_examples(page, inputs), raw_feature_spec(parsed.features))
    transformed = tf.saved_model.load(str(graph / "transform_fn")).transform_fn(examples)
    return Census(folder, parsed, page, pack(transformed, FeatureLayout.load(graph)))


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_it_trains_is_exported_and_ranks_what_it_predicts(name: str, census: Census, tmp_path: Path) -> None:
    """Steps one by one, which take less than the tracing of one: that a step compiles is in the contract."""
    plan = TrainerPlan.from_recipe(census.recipe)
    plan = plan.model_copy(update={"architecture": name, "options": options_of(name, 8)})
    examples, graph = census.folder / "transformed_examples", census.folder / "transform_graph"
    layout, data = FeatureLayout.load(graph), read_split(str(examples / "Split-train" / "*"))
    keras.utils.set_random_seed(1)
    model = build_model(plan, layout)
    model({column: array[:1] for column, array in data.arrays.items()})
    compile_model(model, plan.training, rounds_of(plan.training, 1024, len(data.labels)), 1)
    model.scales.start(model.loss_functions, data.labels[:], data.weights[:])
    model.optimizer.build(model.trainable_variables)
    losses = []
    for batch in dataset(data, 1024, 1).take(STEPS):
        model.reset_metrics()
        losses.append(float(model.train_step(batch)["loss"]))
    assert losses[-1] < losses[0], "it learns"
    assert model.first_bad_step() == {}
    exported = tmp_path / "model" / "Format-Serving"
    export(
        model.predictions,
        graph,
        layout,
        exported,
        inputs={column: about.model_dump() for column, about in plan.inputs.items()},
        kinds=dict.fromkeys(TASKS, "binary"),
        expected={},
        for_one_user=for_one_user(model, layout, plan),
    )
    inputs = read_inputs(exported)["inputs"]
    assert {column for column, about in inputs.items() if about["side"] == "user"} == set(USER)
    raw, rank = load_named(exported, "raw", "rank")
    answers = raw(named_columns(census.page, inputs, inputs, "row"))
    ranked = rank(rank_columns(page_of(census.page[0], census.page, inputs), inputs))
    for task, expected in model.predictions(census.packed).items():
        assert np.isfinite(expected).all() and np.ptp(expected) > 0, "not a constant"
        np.testing.assert_allclose(answers[task], expected, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(ranked[task], expected, rtol=1e-5, atol=1e-6)
    assert ranked["ranking"].tolist() == np.argsort(-ranked["score"], kind="stable").tolist()
