"""TaskScales: where the network of each task starts, and the unit of its loss."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from models.losses.base import Loss
from models.losses.task_loss import task_loss

_SMALLEST = 1e-12

ROWS = 16_384
"""Examples whose groups are compared together by the loss of a constant."""


@keras.saving.register_keras_serializable(package="gatewise")
class TaskScales(keras.layers.Layer):
    """Moves and scales the outputs of a network, so that it starts at the best constant prediction of each task.

        logits = offset + scale * outputs             (training)
        logits = offset + scale * outputs + shift     (otherwise)
        loss = value(logits, label) / unit

    The offset is the log odds of a binary task's base rate, or the mean of a regression task's labels on the scale of the
    loss; `Loss.start` has them. A network from zero would spend its first steps, on a small log all of them, on finding
    this constant. The unit of a regression task is the mean loss of its constant, so that the loss begins at 1 whatever
    the unit of the label. The unit of a binary task, and of a loss that can be negative, is 1.

    The shift is ln r of a task whose negatives are thinned to the rate r in training (`models.features.thinned_rows`), which
    multiplies the odds by 1 / r: without training the logits are those of all examples. 0 for other tasks.

    Until `start` is called, offset, scale, shift and unit are 0, 1, 0 and 1.

    Args:
        outputs: number of logits of each task.

    Call: list of (batch,) or (batch, outputs), in the order of the tasks -> the same, as logits.
    """

    def __init__(self, outputs: Sequence[int], **layer: Any) -> None:
        super().__init__(**layer)
        self.outputs = tuple(outputs)
        self.first = tuple(sum(self.outputs[:i]) for i in range(len(self.outputs)))
        """Position of the first logit of each task."""

    def build(self, input_shape: Any = None) -> None:
        total = sum(self.outputs)
        self.offset = self._row(total, "zeros", "logit_offset")
        self.scale = self._row(total, "ones", "logit_scale")
        self.shift = self._row(total, "zeros", "logit_shift")
        self.unit = self._row(len(self.outputs), "ones", "loss_unit")

    def _row(self, size: int, initializer: str, name: str) -> keras.Variable:
        return self.add_weight(shape=(size,), initializer=initializer, trainable=False, dtype="float32", name=name)

    def call(self, outputs: list[Any], training: bool | None = False) -> list[Any]:
        offsets, scales = ops.convert_to_tensor(self.offset), ops.convert_to_tensor(self.scale)
        offsets = offsets if training else offsets + ops.convert_to_tensor(self.shift)
        logits, start = [], 0
        for output, size in zip(outputs, self.outputs, strict=True):
            part = slice(start, start + size) if size > 1 else start
            logits.append(offsets[part] + scales[part] * output)
            start += size
        return logits

    def start(
        self, losses: Sequence[Loss], labels: np.ndarray, weights: np.ndarray, rates: Sequence[float] = ()
    ) -> None:
        """Sets offset, scale and unit from the train labels, and shift from the rates.

        Args:
            losses: loss of each task.
            labels: (example, task).
            weights: (example, task); 0 where the label is not observed.
            rates: share of the negatives of each task that are among the examples. Default: all of them.
        """
        starts, units = [], []
        for i, loss in enumerate(losses):
            observed = weights[:, i] > 0
            own, its_weights = labels[observed, i].astype(np.float64), weights[observed, i].astype(np.float64)
            starts.append(loss.start(own, its_weights))
            constant = constant_loss(loss, starts[-1].offset, labels[:, i], weights[:, i])
            has_unit = loss.kind == "regression" and not loss.negative and _SMALLEST < constant < math.inf
            units.append(constant if has_unit else 1.0)
        self.offset.assign(np.concatenate([start.offset for start in starts]).astype(np.float32))
        self.scale.assign(np.concatenate([start.scale for start in starts]).astype(np.float32))
        self.unit.assign(np.array(units, np.float32))
        if rates:
            self.shift.assign(np.repeat(np.log(rates), self.outputs).astype(np.float32))

    @property
    def best_constants(self) -> list[np.ndarray]:
        """The logits of each task's best constant prediction on the train examples, without thinning: (outputs,) each."""
        logits = ops.convert_to_numpy(self.offset) + ops.convert_to_numpy(self.shift)
        return np.split(logits, np.cumsum(self.outputs)[:-1])

    def constants(
        self, losses: Sequence[Loss], labels: np.ndarray, weights: np.ndarray, groups: np.ndarray | None = None
    ) -> list[float]:
        """The loss of each task's constant prediction on the given examples, in units of the loss."""
        units = ops.convert_to_numpy(self.unit)
        return [
            constant_loss(loss, logits, labels[:, i], weights[:, i], groups) / float(units[i])
            for i, (loss, logits) in enumerate(zip(losses, self.best_constants, strict=True))
        ]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "outputs": self.outputs}


def constant_loss(
    loss: Loss,
    logits: Sequence[float] | np.ndarray,
    labels: np.ndarray,
    weights: np.ndarray,
    groups: np.ndarray | None = None,
) -> float:
    """Weighted mean loss of the same logits for all examples; 0 if no example is observed.

    Args:
        loss: loss of the task.
        logits: (outputs,).
        labels, weights: (example,).
        groups: (example,), for a loss that compares within groups. None: each example is a group of its own.
    """
    shape = (len(labels),) if loss.outputs == 1 else (len(labels), loss.outputs)
    return mean_loss(
        loss, np.broadcast_to(np.asarray(logits, np.float32).reshape(shape[1:]), shape), labels, weights, groups
    )


def mean_loss(
    loss: Loss, logits: np.ndarray, labels: np.ndarray, weights: np.ndarray, groups: np.ndarray | None = None
) -> float:
    """Weighted mean loss of examples; 0 if none is observed.

    A loss that compares within groups takes them in parts of `ROWS` examples, as an evaluation does in its batches.

    Args:
        loss: loss of the task.
        logits: (example,), or (example, outputs) for a loss with several outputs.
        labels, weights: (example,).
        groups: (example,), for a loss that compares within groups. None: each example is a group of its own.
    """
    labels, weights = labels.astype(np.float32), weights.astype(np.float32)
    if not loss.within_group or groups is None:
        return float(ops.convert_to_numpy(task_loss(loss, logits, labels, weights)))
    order = np.argsort(groups, kind="stable")
    parts = [order[start : start + ROWS] for start in range(0, len(order), ROWS)]
    values = [float(task_loss(loss, logits[part], labels[part], weights[part], groups[part])) for part in parts]
    totals = np.array([weights[part].sum(dtype=np.float64) for part in parts])
    return float(totals @ values / totals.sum()) if totals.any() else 0.0
