"""torch-rechub's MMOE or PLE on Census-Income with its MTLTrainer: python -m benchmarks.peers.census_rechub QUESTION.

Runs in the peers' environment. The question: `rows`, `numbers` and `tasks` as of `census_encoding.read_rows`, `seed`, `model`,
a row of MODELS, and `out`. Sizes, learning rate, weight decay and batch are those of torch-rechub's own script for Census-Income,
examples/ranking/run_census.py. Numbers are scaled to [0, 1] by the train split, as its preprocessing does.

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
from benchmarks.stages.door import answer, clock

DIM, EXPERT, TOWER = 4, {"dims": [16]}, {"dims": [8]}
MODELS = {
    "mmoe": (MMOE, {"n_expert": 8}),
    "ple": (PLE, {"n_level": 1, "n_expert_specific": 2, "n_expert_shared": 1}),
}
OPTIMIZER = {"lr": 1e-3, "weight_decay": 1e-4}
BATCH, EPOCHS, PATIENCE = 1024, 100, 5


def run(question: Mapping[str, Any]) -> dict[str, Any]:
    """`metrics` {task: of the eval split}, `about`: epochs, the best one and its validate AUCs."""
    rows = read_rows(question)
    # Several threads make steps as small as these slower, and much slower on a busy machine.
    torch.set_num_threads(1)
    torch.manual_seed(question["seed"])
    train, validate, evaluation = (_Batches(rows, split, split == "train") for split in ("train", "validate", "eval"))
    features = [
        *(SparseFeature(name, size, embed_dim=DIM) for name, size in rows.sizes.items()),
        *(DenseFeature(name) for name in rows.numbers),
    ]
    make, sizes = MODELS[question["model"]]
    kinds = ["classification"] * len(rows.tasks)
    model = make(features, kinds, expert_params=EXPERT, tower_params_list=[TOWER] * len(kinds), **sizes)
    trainer = MTLTrainer(
        model,
        kinds,
        optimizer_params=OPTIMIZER,
        n_epoch=EPOCHS,
        earlystop_patience=PATIENCE,
        model_path=str(Path(question["out"])),
    )
    with clock() as seconds:
        epochs = trainer.fit(train, validate)
        # `fit` restores them only if it stopped early.
        model.load_state_dict(trainer.early_stopper.best_weights)
        chances = np.asarray(trainer.predict(model, (features for features, _ in evaluation)))
    labels = rows.splits["eval"].labels
    # An epoch's entries: the train loss of each task, then the validate AUC of each task.
    aucs = np.asarray(epochs)[:, len(kinds) :]
    best = int(aucs[:, 0].argmax())
    return {
        "rows": len(rows.splits["train"].labels),
        "seconds": seconds[0],
        "cpu_seconds": seconds[1],
        "metrics": {task: binary_metrics(labels[:, i], chances[:, i]) for i, task in enumerate(rows.tasks)},
        "about": {
            "epochs": len(epochs),
            "best_epoch": best + 1,
            "validate_auc": dict(zip(rows.tasks, aucs[best].tolist(), strict=True)),
        },
    }


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
