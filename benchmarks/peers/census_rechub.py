"""torch-rechub's MMOE or PLE on Census-Income with its MTLTrainer: python -m benchmarks.peers.census_rechub QUESTION.

Runs in the peers' environment. The question: `rows`, `numbers` and `tasks` as of `census_encoding.read_rows`, `seed`, `model`,
a row of MODELS, `out`, and `kept`, a folder for the chosen learning rate, which the trainings of all seeds share. Sizes, weight
decay and batch are those of torch-rechub's own script for Census-Income, examples/ranking/run_census.py. Numbers are scaled to
[0, 1] by the train split, as its preprocessing does. The script's learning rate is 1e-3; here the best one of GRID is chosen with
seed 0 by the validate AUC of the first task.

MTLTrainer stops after PATIENCE epochs without a larger validate AUC of the first task, and the best epoch's weights predict. The
batches come from arrays in memory instead of torch-rechub's loader, which reads row by row: the same batches in a tenth of the time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch_rechub.basic.features import DenseFeature, SparseFeature
from torch_rechub.models.multi_task import MMOE, PLE
from torch_rechub.trainers import MTLTrainer

from benchmarks.binary_metrics import binary_metrics
from benchmarks.peers.census_encoding import Rows, Split, read_rows
from benchmarks.peers.census_grid import best_of
from benchmarks.stages.door import answer, clock

DIM, EXPERT, TOWER = 4, {"dims": [16]}, {"dims": [8]}
MODELS = {
    "mmoe": (MMOE, {"n_expert": 8}),
    "ple": (PLE, {"n_level": 1, "n_expert_specific": 2, "n_expert_shared": 1}),
}
OPTIMIZER = {"weight_decay": 1e-4}
GRID = {"lr": (1e-2, 3e-3, 1e-3)}
BATCH, EPOCHS, PATIENCE = 1024, 100, 5


def run(question: Mapping[str, Any]) -> dict[str, Any]:
    """`metrics` {task: of the eval split}, `about`: the chosen learning rate, epochs, the best one and its validate AUCs."""
    # Several threads make steps as small as these slower, and much slower on a busy machine.
    torch.set_num_threads(1)
    rows, name, out = read_rows(question), question["model"], Path(question["out"])
    with clock() as seconds:
        chosen = best_of(
            GRID,
            lambda options: _fit(rows, name, options, 0, out)[1]["validate_auc"][0],
            Path(question["kept"]) / "grid.jsonl",
        )
        trainer, about = _fit(rows, name, chosen, question["seed"], out)
        evaluation = (features for features, _ in _Batches(rows, "eval", shuffled=False))
        chances = np.asarray(trainer.predict(trainer.model, evaluation))
    labels = rows.splits["eval"].labels
    return {
        "rows": len(rows.splits["train"].labels),
        "seconds": seconds[0],
        "cpu_seconds": seconds[1],
        "metrics": {task: binary_metrics(labels[:, i], chances[:, i]) for i, task in enumerate(rows.tasks)},
        "about": {**chosen, **about},
    }


def _fit(rows: Rows, name: str, options: Mapping[str, Any], seed: int, out: Path) -> tuple[MTLTrainer, dict[str, Any]]:
    torch.manual_seed(seed)
    features = [
        *(SparseFeature(column, size, embed_dim=DIM) for column, size in rows.sizes.items()),
        *(DenseFeature(column) for column in rows.numbers),
    ]
    make, sizes = MODELS[name]
    kinds = ["classification"] * len(rows.tasks)
    model = make(features, kinds, expert_params=EXPERT, tower_params_list=[TOWER] * len(kinds), **sizes)
    trainer = MTLTrainer(
        model,
        kinds,
        optimizer_params={**OPTIMIZER, **options},
        n_epoch=EPOCHS,
        earlystop_patience=PATIENCE,
        model_path=str(out),
    )
    epochs = trainer.fit(_Batches(rows, "train", shuffled=True), _Batches(rows, "validate", shuffled=False))
    # `fit` restores them only if it stopped early.
    model.load_state_dict(trainer.early_stopper.best_weights)
    # An epoch's entries: the train loss of each task, then the validate AUC of each task.
    aucs = np.asarray(epochs)[:, len(kinds) :]
    best = int(aucs[:, 0].argmax())
    return trainer, {"epochs": len(epochs), "best_epoch": best + 1, "validate_auc": aucs[best].tolist()}


class _Batches:
    """A split as MTLTrainer reads it: batches of ({column: values}, labels), shuffled anew in each pass, or in order."""

    def __init__(self, rows: Rows, split: str, shuffled: bool) -> None:
        found: Split = rows.splits[split]
        low, high = rows.splits["train"].numbers.min(axis=0), rows.splits["train"].numbers.max(axis=0)
        self._codes = torch.from_numpy(found.codes)
        self._numbers = torch.from_numpy(((found.numbers - low) / (high - low)).astype(np.float32))
        self._labels = torch.from_numpy(found.labels)
        self._names, self._shuffled = (list(rows.sizes), list(rows.numbers)), shuffled

    def __iter__(self) -> Iterator[tuple[dict[str, torch.Tensor], torch.Tensor]]:
        count = len(self._labels)
        order = torch.randperm(count) if self._shuffled else torch.arange(count)
        for chosen in order.split(BATCH):
            codes, numbers = self._codes[chosen].T.contiguous(), self._numbers[chosen].T.contiguous()
            columns = dict(zip(self._names[0], codes, strict=True)) | dict(zip(self._names[1], numbers, strict=True))
            yield columns, self._labels[chosen]


if __name__ == "__main__":
    answer(run)
