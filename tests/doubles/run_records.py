"""Records of runs, made by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from models.recipe.file import load_recipe
from pipeline.run_record import resolved

A, B, C = "20260101-080000-11", "20260102-080000-12", "20260103-080000-13"


def record(run: str, **changed: Any) -> dict[str, Any]:
    """A record of a finished run of the recipe `shop`; its start follows from its id."""
    values: dict[str, Any] = {
        "format": 1,
        "id": run,
        "recipe": "shop",
        "file": "shop.yaml",
        "started": f"{run[:4]}-{run[4:6]}-{run[6:8]}T{run[9:11]}:{run[11:13]}:00.000+00:00",
        "state": "finished",
        "error": None,
        "seconds": 73.4,
        "push": True,
        "overrides": [],
        "data_option": None,
        "seed": 1,
        "resolved": {
            "model": {"architecture": "mmoe", "options": {"mmoe": {"experts": 4}}},
            "training": {"seed": 1},
            "evaluation": {"group_key": None},
            "tasks": {"click": {"kind": "binary"}},
        },
        "code": {"gatewise": "0.1.0", "stages": {"Trainer": "aa"}},
        "data": {"files": 4, "bytes": 10, "fingerprint": "f1"},
        "metrics": {"click": {"auc": 0.75, "log_loss": 0.3, "example_count": 100}},
        "intervals": {"click": {"auc": {"lower": 0.74, "upper": 0.77}}},
        "blessed": True,
        "pushed": "runs/serving/shop/1",
        "serving": "runs/serving/shop/1",
        "predictions": None,
    }
    return values | changed


def write(root: Path, *records: dict[str, Any]) -> None:
    """Writes the records where runs keep them."""
    for one in records:
        file = root / one["recipe"] / "logs" / f"{one['id']}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(one))


def measured(
    root: Path,
    run: str,
    recipe: Path,
    means: dict[str, dict[str, float]],
    overrides: tuple[str, ...] = (),
    **changed: Any,
) -> None:
    """Writes the record and history.json of a run of a recipe's file that has measured these affinities."""
    training = root / "artifacts" / run
    training.mkdir(parents=True)
    samples = {b: dict.fromkeys(onto, 5) for b, onto in means.items()}
    errors = {b: dict.fromkeys(onto, 0.1) for b, onto in means.items()}
    (training / "history.json").write_text(
        json.dumps({"affinity": {"means": means, "errors": errors, "samples": samples}})
    )
    checked = load_recipe(recipe, overrides)
    about = {"recipe": checked.name, "file": str(recipe), "overrides": list(overrides), "resolved": resolved(checked)}
    write(root, record(run, **{**about, "training": str(training), **changed}))
