"""From logs to AUCs as a script in Polars and PyTorch, in one process: python -m benchmarks.peers.polars_torch QUESTION.

Runs in the peers' environment. The question: `data`, the folder of the wide logs; `problem`, the join's; `features`, as a
recipe has them, with their widths; `plan`, that of our trainer. It joins, encodes, trains MMoE for one epoch, and gives the
AUC of each binary task on the eval split.

It leaves out: checks of the input, dead letters and accounts, statistics, schema and their validation, an eval pass of the
epoch, checkpoints, anything to serve with the same encoding, metrics other than the AUC, slices, gates.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from sklearn.metrics import roc_auc_score

from benchmarks.joins.polars_script import join
from benchmarks.joins.problem import Problem, positives
from benchmarks.peers.polars_encoding import Encoder
from benchmarks.peers.torch_mmoe import MMoE, Task, Tensors, predict, train
from benchmarks.stages.door import answer, clock


def run(question: Mapping[str, Any]) -> dict[str, Any]:
    """The script.

    Returns:
        rows: impressions. seconds: of all parts. stages: of each. tasks: positives. tables: {feature: rows}.
        auc: {task: on the eval split}, None where the split has one class only.
    """
    problem, out, plan = Problem.of(question["problem"]), Path(question["out"]), question["plan"]
    options, training = plan["options"], plan["training"]
    tasks = [Task(name=name, kind=task["kind"], weight=task["weight"]) for name, task in plan["tasks"].items()]
    features = question["features"]
    torch.manual_seed(training["seed"])

    with clock() as joining:
        join(problem, Path(question["data"]), out)

    with clock() as encoding:
        splits = {split: pl.read_parquet(out / f"{split}.parquet") for split in ("train", "eval")}
        encoder = Encoder(features, splits["train"])
        tensors = {split: Tensors.of(encoder.encode(frame)) for split, frame in splits.items()}
        labels = {split: _matrix(frame, "label", tasks) for split, frame in splits.items()}
        weights = {split: _matrix(frame, "weight", tasks) for split, frame in splits.items()}
        del splits

    with clock() as fitting:
        dims = {feature["dim"] for feature in features.values() if "dim" in feature}
        if len(dims) != 1:
            raise ValueError(f"expected features of one width, received {sorted(dims)}")
        [dim] = dims
        split = tensors["train"]
        model = MMoE(
            rows=1 + sum(encoder.tables.values()),
            dim=dim,
            pooling={name: features[name]["pooling"] for name in split.lists},
            width=dim * (split.ids.shape[1] + len(split.lists)) + split.numbers.shape[1],
            tasks=len(tasks),
            experts=options["experts"],
            units=options["units"],
            tower_units=options["tower_units"],
        )
        given = (torch.from_numpy(labels["train"]), torch.from_numpy(weights["train"]), tasks)
        train(model, split, *given, training["batch_size"], training["learning_rate"])

    with clock() as measuring:
        logits = predict(model, tensors["eval"], training["batch_size"])
        aucs = {
            task.name: _auc(labels["eval"][:, place], logits[:, place], weights["eval"][:, place])
            for place, task in enumerate(tasks)
            if task.kind == "binary"
        }

    stages = {"join": joining[0], "encoding": encoding[0], "training": fitting[0], "evaluation": measuring[0]}
    found = {"seconds": sum(stages.values()), "stages": stages, "tables": encoder.tables, "auc": aucs}
    return {**found, **positives(out, problem)}


def _matrix(frame: pl.DataFrame, part: str, tasks: list[Task]) -> np.ndarray:
    """(example, task) float32."""
    return np.stack([frame[f"{part}/{task.name}"].to_numpy() for task in tasks], axis=1)


def _auc(labels: np.ndarray, scores: np.ndarray, weights: np.ndarray) -> float | None:
    observed = weights > 0
    labels = labels[observed] > 0
    if labels.all() or not labels.any():
        return None
    return float(roc_auc_score(labels, scores[observed]))


if __name__ == "__main__":
    answer(run)
