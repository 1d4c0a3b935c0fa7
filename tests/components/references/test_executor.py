from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from tfx.types import standard_artifacts

from components.references import executor
from components.references.plan import ReferencesPlan
from components.references.predictions import read_predictions
from models.recipe.recipe import Recipe
from models.training import trainer


def run(small: SimpleNamespace, recipe: Recipe, uri: Path) -> dict[str, Any]:
    output = standard_artifacts.InferenceResult()
    output.uri = str(uri)
    executor.Executor().Do(
        {"transformed_examples": [small.transformed], "transform_graph": [small.transform_graph]},
        {"references": [output]},
        {"plan": ReferencesPlan.from_recipe(recipe).model_dump_json(), "code": "1"},
    )
    found: dict[str, Any] = json.loads((uri / "references.json").read_text())
    return found


def test_both_references_and_a_resumed_training(
    small: SimpleNamespace, recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = tmp_path / "References"
    found = run(small, recipe, node / "references" / "1")
    assert {path.name for path in node.iterdir()} == {"references"}, "the checkpoints are gone"
    assert list(found["references"]) == ["linear", "single_task"]
    # Two tasks on 4 numbers of the device and 2 of the age: its value, and whether it is missing.
    assert found["references"]["linear"]["network_parameters"] == 2 * 7
    assert found["references"]["single_task"]["network_parameters"] == pytest.approx(
        found["model"]["network_parameters"], rel=0.02
    )
    assert found["references"]["single_task"]["options"]["dropout"] == 0.1, "as the model's"
    for name, about in found["references"].items():
        assert about["best_epoch"] <= about["passes"] <= 40 and about["seconds"] > 0
        table = pq.read_table(node / "references" / "1" / name / "predictions.parquet")
        assert table.column_names == ["gatewise/example_id", "click", "value"]
        assert [str(field.type) for field in table.schema] == ["int64", "float", "float"]
        mine = read_predictions(str(node / "references" / "1"), name, small.eval_ids)["click"]
        y = small.eval_clicks
        loss = -np.mean(y * np.log(mine) + (1 - y) * np.log1p(-mine))
        base = y.mean()
        assert loss < 0.9 * -(base * np.log(base) + (1 - base) * np.log1p(-base)), "it has learnt, row by row"

    # Killed in the second reference, the next run trains the rest only and gives the same.
    started = []
    train = trainer.train

    def killed(plan: Any, *arguments: Any) -> Any:
        started.append(plan.architecture)
        if len(started) == 2:
            raise KeyboardInterrupt
        return train(plan, *arguments)

    monkeypatch.setattr(trainer, "train", killed)
    with pytest.raises(KeyboardInterrupt):
        run(small, recipe, node / "references" / "2")
    assert len(list((node / ".checkpoint").iterdir())) == 1
    monkeypatch.setattr(trainer, "_round", lambda *arguments: pytest.fail("linear was trained"))
    monkeypatch.setattr(
        trainer, "train", lambda plan, *rest: train(plan, *rest) if plan.architecture == "linear" else 1 / 0
    )
    with pytest.raises(ZeroDivisionError):
        run(small, recipe, node / "references" / "3")
    first, again = (node / "references" / str(number) / "linear" / "predictions.parquet" for number in (1, 3))
    assert pq.read_table(first).equals(pq.read_table(again))


def test_without_eval_examples_nothing_is_trained(
    small: SimpleNamespace, recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for file in (Path(small.transformed.uri) / "Split-eval").iterdir():
        file.unlink()
    monkeypatch.setattr(trainer, "train", lambda *arguments: pytest.fail("trained"))
    assert run(small, recipe, tmp_path / "references")["references"] == {}
