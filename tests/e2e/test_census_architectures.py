"""Every architecture on a cut of Census-Income: trained, exported and asked. Skipped where the data are not beside the checkout."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml
from tfx.components.trainer.fn_args_utils import FnArgs

from benchmarks.stages import ours
from benchmarks.task_correlation import options_of
from models.architectures import ARCHITECTURES
from models.features.input_pipeline import read_split
from models.recipe.file import load_recipe
from models.recipe.recipe import Recipe
from models.serving.inference import load_named
from models.serving.inputs import read_expected, read_inputs
from models.serving.named_rows import named_columns, page_of, rank_columns
from models.training import trainer
from models.training.plan import TrainerPlan

pytestmark = pytest.mark.slow

FILES = {"census_income_kdd_train.parquet": 60, "census_income_kdd_test.parquet": 600}
"""{file: of how many rows one is taken}."""
FEATURES = ("age", "age_value", "capital_gains", "weeks_worked_in_year", "education", "sex", "class_of_worker")
USER = ("age", "age_value", "sex")
TASKS = ("income", "never_married")
TRAINING = {"epochs": 1, "batch_size": 256, "jit_compile": False, "learning_rate": 0.01}


@dataclasses.dataclass(frozen=True)
class Census:
    """The features of the cut, their recipe, and a page of raw rows."""

    folder: Path
    recipe: Recipe
    page: list[dict[str, Any]]


@pytest.fixture(scope="module")
def census(real_data: Path, shop_recipe: Path, tmp_path_factory: pytest.TempPathFactory) -> Census:
    folder = tmp_path_factory.mktemp("census-cut")
    for name, every in FILES.items():
        table = pq.read_table(real_data / name)
        table = table.take(np.arange(0, len(table), every))
        pq.write_table(table, folder / name)
    recipe = yaml.safe_load(shop_recipe.with_name("census_income.yaml").read_text())
    sides = {name: {"side": "user"} if name in USER else {} for name in FEATURES}
    recipe["features"] = {name: recipe["features"][name] | {"dim": 2} | sides[name] for name in FEATURES}
    recipe["features"] = {
        name: {key: value for key, value in about.items() if key != "dim" or about["kind"] != "numeric"}
        for name, about in recipe["features"].items()
    }
    recipe["model"] = {"embedding_dim": 2}
    recipe["training"] = TRAINING
    recipe["evaluation"] = {key: value for key, value in recipe["evaluation"].items() if key not in ("references", "gates")}
    (folder / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    parsed = load_recipe(folder / "recipe.yaml", (), str(folder))
    ours.event_logs(parsed, folder, folder)
    ours.features(parsed, folder, folder)
    columns = {feature.column or name for name, feature in parsed.features.items()}
    page = table.select(sorted(columns)).slice(0, 9).to_pylist()
    return Census(folder, parsed, page)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_it_trains_is_exported_and_ranks_what_it_predicts(name: str, census: Census, tmp_path: Path) -> None:
    plan = TrainerPlan.from_recipe(census.recipe)
    plan = plan.model_copy(update={"architecture": name, "options": options_of(name, 8)})
    examples = census.folder / "transformed_examples"
    (tmp_path / "model_run" / "1").mkdir(parents=True)
    model = tmp_path / "model" / "1" / "Format-Serving"
    trainer.run_fn(
        FnArgs(
            train_files=[str(examples / "Split-train" / "*")],
            eval_files=[str(examples / "Split-validate" / "*")],
            transform_graph_path=str(census.folder / "transform_graph"),
            serving_model_dir=str(model),
            model_run_dir=str(tmp_path / "model_run" / "1"),
            custom_config={"plan": plan.model_dump_json()},
        )
    )
    inputs = read_inputs(model)["inputs"]
    of_user = {column for column, about in inputs.items() if about["side"] == "user"}
    assert of_user == {"age", "sex"}
    whole = [{**row, **{column: census.page[0][column] for column in of_user}} for row in census.page]
    raw, rank = load_named(model, "raw", "rank")
    predicted = raw(named_columns(whole, inputs, inputs, "row"))
    ranked = rank(rank_columns(page_of(census.page[0], census.page, inputs), inputs))
    assert set(predicted) == set(TASKS)
    for task, values in predicted.items():
        assert values.shape == (len(whole),)
        assert ((values > 0) & (values < 1)).all() and np.ptp(values) > 0, "finite, and not a constant"
        np.testing.assert_allclose(ranked[task], values, rtol=1e-5, atol=1e-6)
    assert sorted(ranked["ranking"].tolist()) == list(range(len(whole)))
    assert np.isfinite([values for values in read_expected(model)["predictions"].values()]).all()
