"""LightGBM on Census-Income, one model per task, tuned on the validate split: python -m benchmarks.peers.census_lightgbm QUESTION.

Runs in the peers' environment. The question: `rows`, `numbers` and `tasks` as of `census_encoding.read_rows`, `seed`, and
`kept`, a folder for the chosen parameters, which the trainings of all seeds share.

For each task, the grid GRID is trained once with seed 0, and the parameters with the smallest validate log loss are kept. Each
model, in the grid and after it, stops after STOP rounds without a smaller validate log loss, and predicts with its best round.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np

from benchmarks.binary_metrics import binary_metrics
from benchmarks.peers.census_encoding import Rows, Split, read_rows
from benchmarks.peers.census_grid import best_of
from benchmarks.stages.door import answer, clock

GRID = {"num_leaves": (15, 31, 63), "learning_rate": (0.03, 0.1)}
FIXED = {
    "objective": "binary",
    "metric": "binary_logloss",
    "feature_fraction": 0.5,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "deterministic": True,
    "force_col_wise": True,
    "num_threads": 1,
    "verbose": -1,
}
ROUNDS, STOP = 5_000, 50


def run(question: Mapping[str, Any]) -> dict[str, Any]:
    """`metrics` {task: of the eval split}, `about` {task: chosen parameters, best round and validate log loss}."""
    rows, seed = read_rows(question), question["seed"]
    metrics, about = {}, {}
    with clock() as seconds:
        for place, task in enumerate(rows.tasks):
            chosen = _chosen(rows, place, Path(question["kept"]) / f"{task}.jsonl")
            model = _fit(rows, place, chosen, seed)
            evaluation = rows.splits["eval"]
            metrics[task] = binary_metrics(evaluation.labels[:, place], np.asarray(model.predict(_matrix(evaluation))))
            about[task] = {**chosen, "rounds": model.best_iteration, "validate_log_loss": _score(model)}
    found = {"rows": len(rows.splits["train"].labels), "seconds": seconds[0], "cpu_seconds": seconds[1]}
    return {**found, "metrics": metrics, "about": about}


def _chosen(rows: Rows, place: int, kept: Path) -> dict[str, Any]:
    return best_of(GRID, lambda options: -_score(_fit(rows, place, options, seed=0)), kept)


def _fit(rows: Rows, place: int, options: Mapping[str, Any], seed: int) -> lgb.Booster:
    codes = list(range(len(rows.sizes)))
    train, validate = (rows.splits[split] for split in ("train", "validate"))
    data = lgb.Dataset(_matrix(train), train.labels[:, place], categorical_feature=codes)
    valid = lgb.Dataset(_matrix(validate), validate.labels[:, place], reference=data)
    return lgb.train(
        {**FIXED, **options, "seed": seed},
        data,
        ROUNDS,
        valid_sets=[valid],
        valid_names=["validate"],
        callbacks=[lgb.early_stopping(STOP, verbose=False)],
    )


def _matrix(split: Split) -> np.ndarray:
    """(row, column) float32: codes, then numbers."""
    return np.concatenate([split.codes.astype(np.float32), split.numbers], axis=1)


def _score(model: lgb.Booster) -> float:
    return float(model.best_score["validate"]["binary_logloss"])


if __name__ == "__main__":
    answer(run)
