"""What goes on beside the training's steps: a stop at the first NaN, progress for people, curves for TensorBoard."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from models.recipe.errors import TrainingError


class StopOnNaN(keras.callbacks.Callback):
    """Ends a training whose loss or gradient is not a number, naming task and step.

    Args:
        every: calls into TensorFlow between two looks, each of which waits for the device.
    """

    def __init__(self, every: int = 100) -> None:
        super().__init__()
        self.every = every
        self._calls = 0

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._calls += 1
        if self._calls % self.every == 0:
            self.look()

    def on_test_begin(self, logs: Any = None) -> None:
        """The end of an epoch's training, before its evaluation."""
        self.look()

    def look(self) -> None:
        """Raises TrainingError if any step so far was bad."""
        if bad := self.model.first_bad_step():
            step = min(bad.values())
            tasks = ", ".join(repr(task) for task, at in bad.items() if at == step)
            raise TrainingError(
                f"Training stopped: the loss or gradient of task {tasks} is not a finite number from step {step} on "
                f"(steps count from 0). {WHAT_TO_TRY}"
            )


WHAT_TO_TRY = (
    "Try, in this order: a smaller training.learning_rate; `transform: log1p` and `scale: zscore` for numeric features "
    "with heavy tails; for a regression task with large values another loss (`huber`, or `squared_log_error` if no label is below 0); "
    "the balancer `fixed`."
)


def check_eval_losses(epoch: int, losses: Mapping[str, float], tasks: Sequence[str]) -> None:
    """Refuses an eval loss that is not finite.

    Args:
        epoch: from 0.
        losses: val_loss and val_<task>_loss, as far as they were measured.

    Raises:
        TrainingError: names the tasks.
    """
    bad = [task for task in tasks if not math.isfinite(losses.get(f"val_{task}_loss", 0.0))]
    if bad or not math.isfinite(losses.get("val_loss", 0.0)):
        names = ", ".join(repr(task) for task in bad) or "all tasks together"
        raise TrainingError(
            f"Training stopped: after epoch {epoch + 1} the eval loss of {names} is not a finite number, though the "
            f"training steps were fine. {WHAT_TO_TRY}"
        )


class Clock(keras.callbacks.Callback):
    """Takes the seconds of an epoch's training steps, the evaluation after them left out."""

    def __init__(self, now: Callable[[], float]) -> None:
        super().__init__()
        self._now = now
        self._begin = 0.0
        self.seconds = 0.0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._begin = self._now()

    def on_test_begin(self, logs: Any = None) -> None:
        self.seconds = self._now() - self._begin


class Checkpoints(keras.callbacks.Callback):
    """Keeps the state of an epoch under way every so often, and takes an epoch up where the last state left it.

    Args:
        save: called with the steps done in the epoch.
        seconds: of training between two saves.
        done: steps of the epoch that an earlier process did; its metrics, which `fit` sets to 0, are those of the model.
        steps: of the epoch; after the last, the epoch's own checkpoint comes.
        now: seconds since any time.
    """

    def __init__(
        self, save: Callable[[int], None], seconds: float, done: int, steps: int, now: Callable[[], float]
    ) -> None:
        super().__init__()
        self._save, self._seconds, self._done, self._steps, self._now = save, seconds, done, steps, now
        self._last = now()
        self._metrics: list[Any] = []

    def on_train_begin(self, logs: Any = None) -> None:
        if self._done:
            self._metrics = [tf.convert_to_tensor(variable.value).numpy() for variable in self.model.metrics_variables]

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        if self._metrics:
            for variable, value in zip(self.model.metrics_variables, self._metrics, strict=True):
                variable.assign(value)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        done = self._done + batch + 1
        if done < self._steps and self._now() - self._last >= self._seconds:
            self._save(done)
            self._last = self._now()


def progress_line(entry: Mapping[str, Any], epochs: int, tasks: Sequence[str], best: bool) -> str:
    """One epoch in words: "epoch 2/5: loss 0.2511, val_loss 0.2603 (click 0.2001, order -), ..."; "-" was not measured."""
    each = ", ".join(f"{task} {_figure(entry.get(f'val_{task}_loss'))}" for task in tasks)
    return (
        f"epoch {entry['epoch']}/{epochs}: loss {entry['loss']:.5g}, val_loss {_figure(entry.get('val_loss'))} ({each}), "
        f"{entry['examples_per_second']:,.0f} examples/s, {entry['seconds']:.1f} s{', best so far' if best else ''}"
    )


def _figure(loss: float | None) -> str:
    return "-" if loss is None else f"{loss:.5g}"


_SCALAR = tf.compat.v1.SummaryMetadata(plugin_data={"plugin_name": "scalars"}, data_class="DATA_CLASS_SCALAR")
"""What `tf.summary.scalar` adds to a value; that function itself wants TensorBoard to be installed."""


class Curves:
    """The losses of each epoch as TensorBoard curves: two runs, train and validation, with the same names.

    Args:
        folder: gets the sub-folders `train` and `validation`.
    """

    def __init__(self, folder: Path) -> None:
        self._writers = {name: tf.summary.create_file_writer(str(folder / name)) for name in ("train", "validation")}

    def write(self, entry: Mapping[str, Any], tasks: Sequence[str]) -> None:
        """Adds one epoch."""
        for run, prefix in (("train", ""), ("validation", "val_")):
            with self._writers[run].as_default(step=entry["epoch"]):
                for name in ("loss", *(f"{task}_loss" for task in tasks)):
                    if prefix + name in entry:
                        tf.summary.write(name, tf.constant(entry[prefix + name], tf.float32), metadata=_SCALAR)
            self._writers[run].flush()

    def close(self) -> None:
        for writer in self._writers.values():
            writer.close()
