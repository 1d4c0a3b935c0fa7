"""Attributed examples as one CSV file of labelled examples, and the recipe that reads it: what stock TFX can start from.

python -m benchmarks.stages.labelled QUESTION, with `inputs`, the folder that holds our examples, `recipe`, and `rows`,
the first ones of the train split, then of the validate and the eval split. Writes csv/examples.csv, with the features' columns,
label_<task> and weight_<task>, and labelled.yaml.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from benchmarks.stages.door import answer, clock
from benchmarks.stages.ours import files
from models.recipe.features import MultiValued, feature_columns
from models.recipe.file import load_recipe

LABELS = "label_{}"
WEIGHTS = "weight_{}"


def run(question: Mapping[str, Any]) -> dict[str, Any]:
    """Writes both into `out`."""
    out, recipe = Path(question["out"]), load_recipe(question["recipe"])
    columns = [
        (
            pl.col(name).list.eval(pl.element().cast(pl.String)).list.join("|")
            if isinstance(feature, MultiValued)
            else pl.col(name).list.first()
        ).alias(name)
        for name, feature in feature_columns(recipe.features).items()
    ]
    for task in recipe.tasks:
        columns += [pl.col(f"label/{task}").list.first().alias(LABELS.format(task))]
        columns += [pl.col(f"weight/{task}").list.first().alias(WEIGHTS.format(task))]
    (out / "csv").mkdir(parents=True)
    with clock() as seconds:
        paths = [
            path
            for split in ("train", "validate", "eval")
            for path in files(Path(question["inputs"]), "examples", split)
        ]
        rows = pl.scan_parquet(paths).head(question["rows"]).select(columns)
        table = rows.with_columns(pl.col(pl.Binary).cast(pl.String)).collect()
        table.write_csv(out / "csv" / "examples.csv")
    (out / "labelled.yaml").write_text(labelled_recipe(Path(question["recipe"])), encoding="utf-8")
    return {"rows": table.height, "seconds": seconds[0]}


def labelled_recipe(path: Path) -> str:
    """The recipe of the same features and tasks over the CSV file."""
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    del document["logs"]
    document |= {"data": "csv", "examples": {"path": "examples.csv"}, "split": {"eval_fraction": 0.2}}
    for name, task in document["tasks"].items():
        del task["outcome"], task["window"]
        task["label"] = {"column": LABELS.format(name)}
    return yaml.safe_dump(document, sort_keys=False)


if __name__ == "__main__":
    answer(run)
