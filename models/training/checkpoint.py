"""Early stopping and the checkpoint of a training: one that is killed, in the middle of an epoch too, goes on as if it had
not been.

Keras' own EarlyStopping forgets its best epoch when a training is resumed, and its BackupAndRestore writes weights and
epoch one after the other in place, so that a kill in between trains an epoch twice or leaves nothing to load. Here
both are one state, which one rename makes valid.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import logging
import math
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras

from models.training.variables_file import check_variables, read_variables, write_variables

logger = logging.getLogger(__name__)


@dataclasses.dataclass
class EarlyStopping:
    """Stops after `patience` epochs in a row without a smaller eval loss; a patience of 0 is as one of 1.

    Attributes:
        best_epoch: the epoch, from 0, with the smallest loss so far; -1 before the first.
        wait: epochs since then.
    """

    patience: int
    best: float = math.inf
    best_epoch: int = -1
    wait: int = 0

    def update(self, epoch: int, loss: float | None) -> bool:
        """Notes the eval loss of an epoch; True if it is the smallest so far, or if none could be measured."""
        if loss is None:
            self.best_epoch = epoch
            return True
        if loss < self.best:
            self.best, self.best_epoch, self.wait = loss, epoch, 0
            return True
        self.wait += 1
        return False

    @property
    def stopped(self) -> bool:
        """Whether no further epoch should be trained."""
        return self.wait >= max(self.patience, 1)


@dataclasses.dataclass
class Progress:
    """How far a training has come.

    Attributes:
        history: one entry for each whole epoch, with its evaluation.
        steps: steps done in the epoch after these.
    """

    stopping: EarlyStopping
    history: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    steps: int = 0

    @property
    def epoch(self) -> int:
        """The epoch under way, from 0."""
        return len(self.history)


class TrainingCheckpoint:
    """The last state of a training, in a folder, and the weights after its best epoch.

    `weights-E-S.npz` and `optimizer-E-S.npz` hold the variables after E whole epochs and S steps of the next one, in the
    order of Keras; the metrics, which add up over an epoch, are with the optimizer. `state.json` says which of them
    count and is replaced by a rename, so a kill at any moment leaves one whole state, the old or the new.

    Args:
        folder: made at the first `save`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def save(self, model: keras.Model, progress: Progress) -> None:
        """Keeps the state and the weights of the best epoch; drops what else there is."""
        self.folder.mkdir(parents=True, exist_ok=True)
        weights, rest = self._weights(progress.epoch, progress.steps), self._rest(progress.epoch, progress.steps)
        best = self._weights(progress.stopping.best_epoch + 1, 0)
        write_variables(weights, model.variables)
        write_variables(rest, _other_state(model))
        unfinished = self.folder / ".state.json"
        unfinished.write_text(json.dumps(dataclasses.asdict(progress)), encoding="utf-8")
        os.replace(unfinished, self._state)
        for path in set(self.folder.iterdir()) - {self._state, weights, rest, best}:
            path.unlink()

    def restore(self, model: keras.Model, progress: Progress) -> bool:
        """Puts model, optimizer, metrics and `progress` into the state last saved.

        The patience of `progress` stays. False, and nothing is changed, without a usable checkpoint.
        """
        if not self._state.is_file():
            return False
        try:
            state = json.loads(self._state.read_text(encoding="utf-8"))
            stopping = EarlyStopping(**{**state["stopping"], "patience": progress.stopping.patience})
            saved = Progress(stopping, state["history"], state["steps"])
            weights, rest = self._weights(saved.epoch, saved.steps), self._rest(saved.epoch, saved.steps)
            check_variables(weights, model.variables)
            check_variables(rest, _other_state(model))
        except (OSError, ValueError, KeyError, TypeError) as error:
            logger.warning("The checkpoint in %s does not fit this training, which starts anew: %s", self.folder, error)
            self.remove()
            return False
        read_variables(weights, model.variables)
        read_variables(rest, _other_state(model))
        for field in dataclasses.fields(Progress):
            setattr(progress, field.name, getattr(saved, field.name))
        return True

    def restore_best(self, model: keras.Model, stopping: EarlyStopping) -> None:
        """Puts the model, not the optimizer, into the state after its best epoch."""
        path = self._weights(stopping.best_epoch + 1, 0)
        check_variables(path, model.variables)
        read_variables(path, model.variables)

    def remove(self) -> None:
        """Removes the folder, and its parent if nothing else is in it."""
        shutil.rmtree(self.folder, ignore_errors=True)
        # Another training may keep its own there, or remove it at this very moment.
        with contextlib.suppress(OSError):
            self.folder.parent.rmdir()

    @property
    def _state(self) -> Path:
        return self.folder / "state.json"

    def _weights(self, epochs: int, steps: int) -> Path:
        return self.folder / f"weights-{epochs:05d}-{steps:08d}.npz"

    def _rest(self, epochs: int, steps: int) -> Path:
        return self.folder / f"optimizer-{epochs:05d}-{steps:08d}.npz"


def _other_state(model: keras.Model) -> list[keras.Variable]:
    return [*model.optimizer.variables, *model.metrics_variables]


def checkpoint_folder(run_dir: Path, train_files: list[str], custom_config: Mapping[str, Any]) -> Path:
    """Where a training keeps its checkpoint: named by what it trains on and how, below the pipeline's node or, where the
    outputs do not outlive a pod, below the folder `custom_config["checkpoints"]`.

    `model_run_dir` and TFX's own working folders are new after a kill, the node's folder is not.
    """
    key = json.dumps([train_files, dict(custom_config)], sort_keys=True)
    parent = (
        Path(custom_config["checkpoints"]) if "checkpoints" in custom_config else run_dir.parent.parent / ".checkpoint"
    )
    return parent / hashlib.sha256(key.encode("utf-8")).hexdigest()[:16]
