"""What a run writes about itself, whatever its end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from models.recipe.errors import InputError
from models.recipe.file import load_recipe
from pipeline.lineage import Run, Stage
from pipeline.run_paths import run_paths
from pipeline.run_record import data_of, recorded, results
from pipeline.run_records import read_records
from pipeline.summary import summarise

ROOT = Path(__file__).resolve().parents[2]
GIVEN = ["training.seed=7", "model.architecture=ple"]


def record(tmp_path: Path, error: BaseException | None = None) -> dict[str, Any]:
    """The record of a run that ends with an error, or without."""
    data = "s3://me:secret@bucket/logs"
    recipe = load_recipe(ROOT / "recipes" / "shop.yaml", GIVEN)
    where = run_paths(recipe, tmp_path)
    where.logs.mkdir(parents=True)
    file = where.logs / "20260101-080000-11.json"
    with recorded("20260101-080000-11", where, recipe, file=Path("shop.yaml"), overrides=GIVEN, data=data) as made:
        assert json.loads(file.read_text())["state"] == "running", "what a killed run leaves"
        assert [one["state"] for one in read_records(tmp_path)] == ["running"]
        made.write(blessed=True)
        if error is not None:
            raise error
    return json.loads(file.read_text())


def test_the_options_and_the_recipe_as_they_were_applied(tmp_path: Path) -> None:
    found = record(tmp_path)
    assert (found["id"], found["recipe"], found["state"]) == ("20260101-080000-11", "shop", "finished")
    assert found["overrides"] == GIVEN and found["seed"] == 7 and found["push"] is True and found["blessed"] is True
    assert found["resolved"]["model"]["architecture"] == "ple" and found["resolved"]["training"]["seed"] == 7
    assert found["resolved"]["serving"]["probe_requests"] > 0, "defaults, too"
    assert found["started"].endswith("+00:00") and found["seconds"] >= 0 and found["error"] is None


def test_no_secret_is_recorded(tmp_path: Path) -> None:
    found = record(tmp_path)
    assert found["data_option"] == "s3://***@bucket/logs"
    assert "me:secret" not in json.dumps(found)


@pytest.mark.parametrize(
    ("error", "state", "words"),
    [
        (InputError("click: 3 rows, s3://a:secret@b is gone"), "failed", "click: 3 rows, s3://***@b is gone"),
        (KeyError("a defect"), "failed", "'a defect'"),
        (KeyboardInterrupt(), "interrupted", "KeyboardInterrupt"),
    ],
)
def test_a_run_that_fails_keeps_its_state_and_its_error(
    error: BaseException, state: str, words: str, tmp_path: Path
) -> None:
    with pytest.raises(type(error)):
        record(tmp_path, error)
    found = json.loads((tmp_path / "shop" / "logs" / "20260101-080000-11.json").read_text())
    assert (found["state"], found["error"]) == (state, words) and found["resolved"]["name"] == "shop"


def test_the_results_are_those_of_the_store(tmp_path: Path) -> None:
    folder = tmp_path / "evaluation"
    folder.mkdir()
    (folder / "metrics.json").write_text(json.dumps({"tasks": {"click": {"auc": 0.7}}, "gates": []}))
    (folder / "history.json").write_text(json.dumps({"rows": 9, "parameters": {"embeddings": 50, "network": 20}}))
    run = Run(
        stages=(
            Stage(name="EventLogs", rows=5, seconds=2.0, cached=True),
            Stage(name="Trainer", rows=0, seconds=3.0, cached=False),
        ),
        artifacts={"Evaluator.evaluation": folder, "Trainer.model_run": folder, "Trainer.model": tmp_path / "model"},
        properties={},
        code={"Trainer": "aa"},
        fingerprint='{"a.parquet":[10,"x"],"b.parquet":[5,"y"]}',
    )
    found = results(run, summarise(run))
    assert found["metrics"] == {"click": {"auc": 0.7}} and found["blessed"] is False and found["pushed"] is None
    assert found["cost"] == {
        "seconds": {"Trainer": 3.0},
        "cached": ["EventLogs"],
        "parameters": {"embeddings": 50, "network": 20},
    }
    assert found["code"]["stages"] == {"Trainer": "aa"} and found["code"]["gatewise"]
    assert (found["data"]["files"], found["data"]["bytes"]) == (2, 15)
    assert found["predictions"] == str(folder / "predictions") and found["model"] == str(tmp_path / "model")


def test_the_data_s_fingerprint_is_of_names_and_contents() -> None:
    one, other = (data_of(f'{{"a.parquet":[10,"{digest}"]}}')["fingerprint"] for digest in ("x", "y"))
    assert one != other and len(one) == 16
    assert data_of("") == {"files": None, "bytes": None, "fingerprint": None}
