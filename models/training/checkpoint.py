"""Early stopping and training checkpoints. A killed training resumes with the same result, even within a round.

Keras' EarlyStopping forgets its best round when a training is resumed. Keras' BackupAndRestore writes weights and
epoch in place, one after the other: a kill in between trains an epoch twice or leaves nothing to load. Here both are
one state, which a single rename makes valid.
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

from models.training.affinity_sums import AffinitySums
from models.training.variables_file import check_variables, read_variables, write_variables

logger = logging.getLogger(__name__)


@dataclasses.dataclass
class EarlyStopping:
    """Stops after `patience` consecutive rounds without a smaller validation score. A patience of 0 acts as 1.

    Attributes:
        best_round: round with the smallest score so far, from 0; -1 before the first, and if a warm start has a smaller score.
        wait: rounds since the best one.
    """

    patience: int
    best: float = math.inf
    best_round: int = -1
    wait: int = 0

    def update(self, number: int, score: float | None) -> bool:
        """Records the score of a round. Returns True if it is the smallest so far, or if there is none."""
        if score is None:
            self.best_round = number
            return True
        if score < self.best:
            self.best, self.best_round, self.wait = score, number, 0
            return True
        self.wait += 1
        return False

    @property
    def stopped(self) -> bool:
        """Whether the training should stop."""
        return self.wait >= max(self.patience, 1)


@dataclasses.dataclass
class Progress:
    """Progress of a training.

    Attributes:
        history: one entry per completed round, with its evaluation.
        steps: completed steps of the current round.
        affinity: the affinities between the tasks so far; empty if they are not measured.
        start: the evaluation of the weights that a warm start begins with; {} without one.
    """

    stopping: EarlyStopping
    history: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    steps: int = 0
    affinity: AffinitySums = dataclasses.field(default_factory=AffinitySums)
    start: dict[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def round(self) -> int:
        """The current round, from 0."""
        return len(self.history)


class TrainingCheckpoint:
    """A folder with the last state of a training and the weights of its best round.

    `weights-R-S.npz` and `optimizer-R-S.npz` hold the variables after R rounds and S steps of the next round, in Keras'
    order. The optimizer file also holds the metrics, which accumulate over a round. `state.json` refers to the valid
    files and is replaced by a rename: a kill at any moment leaves either the old or the new state, complete.

    Args:
        folder: created by the first `save`.
        keeps_best: whether `restore_best` also restores the optimizer.
    """

    def __init__(self, folder: Path, keeps_best: bool = False) -> None:
        self.folder, self.keeps_best = folder, keeps_best

    def save(self, model: keras.Model, progress: Progress) -> None:
        """Saves the state, keeps the weights of the best round, and deletes all other files."""
        self.folder.mkdir(parents=True, exist_ok=True)
        weights, rest = self._weights(progress.round, progress.steps), self._rest(progress.round, progress.steps)
        best_round = progress.stopping.best_round + 1
        best = {self._weights(best_round, 0), *([self._rest(best_round, 0)] if self.keeps_best else [])}
        write_variables(weights, model.variables)
        write_variables(rest, _other_state(model))
        unfinished = self.folder / ".state.json"
        unfinished.write_text(json.dumps(dataclasses.asdict(progress)), encoding="utf-8")
        os.replace(unfinished, self._state)
        for path in set(self.folder.iterdir()) - {self._state, weights, rest, *best}:
            path.unlink()

    def restore(self, model: keras.Model, progress: Progress) -> bool:
        """Restores model, optimizer, metrics and `progress` from the last saved state.

        Keeps the patience of `progress`. Without a usable checkpoint, returns False and changes nothing.
        """
        if not self._state.is_file():
            return False
        try:
            state = json.loads(self._state.read_text(encoding="utf-8"))
            stopping = EarlyStopping(**{**state["stopping"], "patience": progress.stopping.patience})
            affinity = AffinitySums(**state["affinity"])
            saved = Progress(stopping, state["history"], state["steps"], affinity, state["start"])
            weights, rest = self._weights(saved.round, saved.steps), self._rest(saved.round, saved.steps)
            check_variables(weights, model.variables)
            check_variables(rest, _other_state(model))
        except (OSError, ValueError, KeyError, TypeError) as error:
            logger.warning(
                "The checkpoint in %s does not match this training. Starting from the beginning: %s", self.folder, error
            )
            self.remove()
            return False
        read_variables(weights, model.variables)
        read_variables(rest, _other_state(model))
        for field in dataclasses.fields(Progress):
            setattr(progress, field.name, getattr(saved, field.name))
        return True

    def restore_best(self, model: keras.Model, stopping: EarlyStopping) -> None:
        """Restores the model, and with `keeps_best` a compiled model's optimizer, to the state after its best round."""
        path = self._weights(stopping.best_round + 1, 0)
        check_variables(path, model.variables)
        read_variables(path, model.variables)
        if self.keeps_best and model.optimizer is not None:
            rest = self._rest(stopping.best_round + 1, 0)
            check_variables(rest, _other_state(model))
            read_variables(rest, _other_state(model))

    def remove(self) -> None:
        """Removes the folder, and its parent if that is empty."""
        shutil.rmtree(self.folder, ignore_errors=True)
        # Another training may use the parent, or remove it at the same time.
        with contextlib.suppress(OSError):
            self.folder.parent.rmdir()

    @property
    def _state(self) -> Path:
        return self.folder / "state.json"

    def _weights(self, rounds: int, steps: int) -> Path:
        return self.folder / f"weights-{rounds:05d}-{steps:08d}.npz"

    def _rest(self, rounds: int, steps: int) -> Path:
        return self.folder / f"optimizer-{rounds:05d}-{steps:08d}.npz"


def all_state(model: keras.Model) -> list[keras.Variable]:
    """All variables on which the rest of a training depends, in a fixed order."""
    return [*model.variables, *_other_state(model)]


def _other_state(model: keras.Model) -> list[keras.Variable]:
    return [*model.optimizer.variables, *model.metrics_variables]


def checkpoint_folder(run_dir: Path, files: list[str], custom_config: Mapping[str, Any]) -> Path:
    """Checkpoint folder of a training, named by a hash of the files that it reads and of its configuration.

    The folder is below the pipeline node, or below `custom_config["checkpoints"]` if outputs do not outlive a pod.
    `model_run_dir` and the working folders of TFX are new after a kill; the folder of the node persists.
    """
    key = json.dumps([files, dict(custom_config)], sort_keys=True)
    parent = (
        Path(custom_config["checkpoints"]) if "checkpoints" in custom_config else run_dir.parent.parent / ".checkpoint"
    )
    return parent / hashlib.sha256(key.encode("utf-8")).hexdigest()[:16]
