"""An architecture and a backbone that a recipe names by their path train, export and rank as they predict."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from models.recipe.errors import InputError, TrainingError
from models.recipe.file import load_recipe
from models.serving.inference import load_named, load_server
from models.serving.inputs import read_inputs, serialize_examples
from models.serving.named_rows import page_of, rank_columns
from models.training import trainer
from tests.models.training.test_trainer import fn_args, make_plan

HERE = "methods_from_outside"
MODELS: dict[str, tuple[dict[str, Any], str]] = {
    "squares x": (
        {"architecture": f"{HERE}.Squared", "options": {f"{HERE}.Squared": {"scale": 0.5}}},
        "Squared may mix the user's features",
    ),
    "crosses features, reads some apart": ({"architecture": f"{HERE}.Crossed"}, "Crossed may mix the user's features"),
    "a backbone": (
        {"backbone": f"{HERE}.Doubled", "backbone_options": {f"{HERE}.Doubled": {"power": 2.0}}},
        "Doubled may mix the user's features",
    ),
    "a row that reads the widths of the embeddings": ({"backbone": "dot"}, "Dot may mix the user's features"),
}


@pytest.mark.parametrize("name", MODELS)
def test_it_ranks_as_it_predicts(
    problem: SimpleNamespace, tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    about, words = MODELS[name]
    with caplog.at_level(logging.INFO):
        trainer.run_fn(fn_args(problem, make_plan(problem, about, epochs=1), tmp_path / "Trainer", 1))
    assert any(message.startswith("A ranking request recomputes") and words in message for message in caplog.messages)
    model = tmp_path / "Trainer/model/1/Format-Serving"
    notes, rows = read_inputs(model), problem.rows["eval"][:6]
    page = page_of(rows[0], rows, notes["inputs"])
    ranked = load_named(model, "rank")[0](rank_columns(page, notes["inputs"]))
    whole = [{**row, "age": rows[0]["age"]} for row in rows]  # the user of the page in each row
    alone = load_server(model)(serialize_examples(whole, notes["inputs"]))
    for task, values in alone.items():
        np.testing.assert_allclose(ranked[task], values, rtol=1e-6, atol=1e-6)
    assert len(set(ranked["click"].tolist())) > 1


def test_a_wrong_user_once_stops_before_the_training(problem: SimpleNamespace, tmp_path: Path) -> None:
    plan = make_plan(problem, {"architecture": f"{HERE}.WronglyOnce"})
    with pytest.raises(TrainingError, match=r"WronglyOnce: sets `user_once = True`.*logits of click, value differ"):
        trainer.run_fn(fn_args(problem, plan, tmp_path / "Trainer", 1))
    assert not (tmp_path / "Trainer/model/1").exists()


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        (
            "architecture",
            f"{HERE}.Sqared",
            "model.architecture: 'methods_from_outside.Sqared' is not the path of a class",
        ),
        (
            "architecture",
            f"{HERE}.NoMethod",
            "model.architecture: 'methods_from_outside.NoMethod' is not a subclass of models.arch",
        ),
        (
            "backbone",
            f"{HERE}.Squared",
            "model.backbone: 'methods_from_outside.Squared' is not a subclass of models.backbones",
        ),
        (
            "architecture",
            "aitm",
            "model.architecture: 'aitm' passes on what one task knows to the next, and no task follows",
        ),
        ("options", {f"{HERE}.WronglyOnce": {"scale": "x"}}, "WronglyOnce.scale: expected float, received 'x'"),
        (
            "options",
            {f"{HERE}.Crossed": {"by": "devise"}},
            "Crossed.by: no feature is called 'devise'; did you mean 'device'",
        ),
        (
            "options",
            {f"{HERE}.Crossed": {"first": ["klick"]}},
            "Crossed.first: no task is called 'klick'; did you mean 'click'",
        ),
        ("options", {"dbmtl": {"parents": {"klick": ["value"]}}}, "dbmtl.parents: no task is called 'klick'"),
        ("options", {"dbmtl": {"parents": {"value": ["klick"]}}}, "dbmtl.parents: no task is called 'klick'"),
        ("options", {"shared_bottom": {"towers": {"klick": [4]}}}, "shared_bottom.towers: no task is called 'klick'"),
        ("options", {"low_supervision": {"level": {"klick": 1}}}, "low_supervision.level: no task is called 'klick'"),
        ("options", {"joint_many_task": {"order": ["klick"]}}, "joint_many_task.order: no task is called 'klick'"),
        ("architecture", "dbmtl", "the tasks that follow, set its option `parents`, or choose another architecture."),
        ("options", {f"{HERE}.Crossed": {"how": "max"}}, "Crossed.how: expected one of sum, mean, received 'max'"),
        (
            "options",
            {f"{HERE}.Unreadable": {"shape": 1}},
            "an option has the type Doubled, which the recipe's checks do not know",
        ),
        ("backbone", "nowhere.Doubled", "model.backbone: 'nowhere.Doubled' is not the path of a class"),
        ("backbone", "dcn", "model.backbone: unknown backbone 'dcn'; did you mean 'dcn_v2'"),
        (
            "backbone_options",
            {"dcn_v2": {"rank": -1}},
            "model.backbone_options.dcn_v2.rank: expected int from 0 to 4096",
        ),
        ("backbone_options", {f"{HERE}.Doubled": {"powr": 1}}, "unknown option 'powr'; did you mean 'power'"),
    ],
)
def test_what_validate_says(problem: SimpleNamespace, tmp_path: Path, key: str, value: Any, words: str) -> None:
    recipe = {**problem.recipe, "model": {key: value}}
    (tmp_path / "never.parquet").write_bytes(b"")
    (tmp_path / "r.yaml").write_text(json.dumps(recipe))
    with pytest.raises(InputError) as caught:
        load_recipe(tmp_path / "r.yaml")
    assert words in str(caught.value)
