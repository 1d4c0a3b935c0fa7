"""Early stopping and the backup after each epoch: a training that is killed goes on as if it had not been.

Keras' own EarlyStopping forgets its best epoch when a training is resumed, and its BackupAndRestore writes weights and
epoch one after the other in place, so that a kill in between trains an epoch twice or leaves nothing to load. Here
both are one state, which one rename makes valid.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import math
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

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

    def update(self, epoch: int, loss: float) -> bool:
        """Notes the eval loss of an epoch; True if it is the smallest so far."""
        if loss < self.best:
            self.best, self.best_epoch, self.wait = loss, epoch, 0
            return True
        self.wait += 1
        return False

    @property
    def stopped(self) -> bool:
        """Whether no further epoch should be trained."""
        return self.wait >= max(self.patience, 1)


class Backup:
    """The state after the last whole epoch, in a folder, and the weights of the best one.

    `weights-E.npz` and `optimizer-E.npz` hold the variables after epoch E in the order of Keras; `state.json` says
    which of them count and is replaced by a rename, so a kill at any moment leaves one whole state, the old or the new.

    Args:
        folder: made at the first `save`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def save(
        self, model: keras.Model, epoch: int, stopping: EarlyStopping, history: Sequence[Mapping[str, Any]]
    ) -> None:
        """Keeps the state after `epoch` (from 0) and the weights of the best epoch; drops what else there is."""
        self.folder.mkdir(parents=True, exist_ok=True)
        _write_arrays(self._weights(epoch), model.variables)
        _write_arrays(self._optimizer(epoch), model.optimizer.variables)
        state = {"epoch": epoch, "stopping": dataclasses.asdict(stopping), "history": list(history)}
        unfinished = self.folder / ".state.json"
        unfinished.write_text(json.dumps(state), encoding="utf-8")
        os.replace(unfinished, self._state)
        keep = {self._state, self._weights(epoch), self._optimizer(epoch), self._weights(stopping.best_epoch)}
        for path in set(self.folder.iterdir()) - keep:
            path.unlink()

    def restore(self, model: keras.Model, stopping: EarlyStopping) -> list[dict[str, Any]]:
        """Puts model, optimizer and `stopping` into the state last saved.

        Returns:
            The history: one entry for each epoch already trained; [] (and nothing changed) without a usable backup.
        """
        if not self._state.is_file():
            return []
        try:
            state = json.loads(self._state.read_text(encoding="utf-8"))
            weights = _read_arrays(self._weights(state["epoch"]), model.variables)
            optimizer = _read_arrays(self._optimizer(state["epoch"]), model.optimizer.variables)
            saved = EarlyStopping(**{**state["stopping"], "patience": stopping.patience})
        except (OSError, ValueError, KeyError, TypeError) as error:
            logger.warning("The backup in %s does not fit this training, which starts anew: %s", self.folder, error)
            self.remove()
            return []
        _assign(model.variables, weights)
        _assign(model.optimizer.variables, optimizer)
        for field in dataclasses.fields(EarlyStopping):
            setattr(stopping, field.name, getattr(saved, field.name))
        return state["history"]

    def restore_best(self, model: keras.Model, stopping: EarlyStopping) -> None:
        """Puts the model, not the optimizer, into the state after its best epoch."""
        _assign(model.variables, _read_arrays(self._weights(stopping.best_epoch), model.variables))

    def remove(self) -> None:
        """Removes the folder, and its parent if nothing else is in it."""
        shutil.rmtree(self.folder, ignore_errors=True)
        if self.folder.parent.is_dir() and not any(self.folder.parent.iterdir()):
            self.folder.parent.rmdir()

    @property
    def _state(self) -> Path:
        return self.folder / "state.json"

    def _weights(self, epoch: int) -> Path:
        return self.folder / f"weights-{epoch:05d}.npz"

    def _optimizer(self, epoch: int) -> Path:
        return self.folder / f"optimizer-{epoch:05d}.npz"


def _write_arrays(path: Path, variables: Sequence[keras.Variable]) -> None:
    with path.open("wb") as file:
        np.savez(file, *(variable.numpy() for variable in variables))


def _read_arrays(path: Path, variables: Sequence[keras.Variable]) -> list[np.ndarray]:
    """The arrays of a file; ValueError if they are not of the variables' number and shapes."""
    try:
        with path.open("rb") as raw, np.load(raw) as file:
            arrays = [file[f"arr_{i}"] for i in range(len(file.files))]
    except Exception as error:  # a cut file fails in many ways: zipfile.BadZipFile, EOFError, zlib.error
        raise ValueError(f"{path.name}: {error}") from error
    found, expected = [array.shape for array in arrays], [tuple(variable.shape) for variable in variables]
    if found != expected:
        raise ValueError(f"{path.name}: expected arrays of shapes {expected}, found {found}.")
    return arrays


def _assign(variables: Sequence[keras.Variable], arrays: Sequence[np.ndarray]) -> None:
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)
