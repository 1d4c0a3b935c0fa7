"""Callbacks of the training: NaN detection, timing, checkpoints, progress lines, TensorBoard curves."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from models.recipe.errors import TrainingError
from models.training.logged_names import PANELS
from models.training.rounds import Rounds
from models.training.weight_average import exchange_average


class StopOnNaN(keras.callbacks.Callback):
    """Stops the training if a loss or gradient is not finite, and reports task and step.

    Args:
        every: number of TensorFlow calls between two checks. Each check waits for the device.
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
        """Checks once more after the training steps of an epoch, before its evaluation."""
        self.look()

    def look(self) -> None:
        """Raises TrainingError if any step so far was bad."""
        if bad := self.model.first_bad_step():
            step = min(bad.values())
            tasks = ", ".join(repr(task) for task, at in bad.items() if at == step)
            raise TrainingError(
                f"Training stopped: the loss or gradient of task {tasks} is not finite from step {step} on "
                f"(the first step is 0). {WHAT_TO_TRY}"
            )


WHAT_TO_TRY = (
    "Try, in this order: a smaller training.learning_rate; `transform: log1p` and `scale: zscore` for numeric features "
    "with heavy tails; for a regression task with large values, the loss `huber`, or `squared_log_error` if no label is below 0; "
    "the balancer `fixed`."
)


def check_eval_losses(losses: Mapping[str, float], tasks: Sequence[str]) -> None:
    """Raises an error if a validation loss is not finite.

    Args:
        losses: history entry of a round, with epoch, val_loss and val_<task>_loss of the measured tasks.

    Raises:
        TrainingError: a validation loss is not finite; the message lists the tasks.
    """
    bad = [task for task in tasks if not math.isfinite(losses.get(f"val_{task}_loss", 0.0))]
    if bad or not math.isfinite(losses.get("val_loss", 0.0)):
        names = ", ".join(repr(task) for task in bad) or "all tasks together"
        raise TrainingError(
            f"Training stopped: after epoch {losses['epoch']:g} the validation loss of {names} is not finite, although all "
            f"training steps were finite. {WHAT_TO_TRY}"
        )


class Clock(keras.callbacks.Callback):
    """Measures the seconds of an epoch's training steps, without the evaluation."""

    def __init__(self, now: Callable[[], float]) -> None:
        super().__init__()
        self._now = now
        self._begin = 0.0
        self.seconds = 0.0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._begin = self._now()

    def on_test_begin(self, logs: Any = None) -> None:
        self.seconds = self._now() - self._begin


class TablePasses(keras.callbacks.Callback):
    """Passes over all weights every few steps: decays the embedding tables and updates the average of the weights.

    Has the average evaluated instead of the weights.

    Args:
        decay: e-folds by which a step at the full learning rate shrinks all embedding rows: one step leaves exp(-decay) of
            a row. A learning-rate schedule scales it, so that the rows shrink no faster than their gradients can hold them.
    """

    def __init__(self, decay: float = 0.0) -> None:
        super().__init__()
        self._decay = decay

    def on_train_begin(self, logs: Any = None) -> None:
        self._first = self._before = int(keras.ops.convert_to_numpy(self.model.optimizer.iterations))

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        now, every = self._first + batch + 1, self.model.pass_every
        # Due at every multiple of `every`, wherever a call of several steps or a resumed training begins.
        if due := range(self._before // every + 1, now // every + 1):
            if self._decay:
                factor = math.exp(-self._decay * every * sum(self._rate(one * every) for one in due))
                for table in self.model.encoder.embeddings:
                    table.assign(table.value * factor)
            if self.model.average is not None:
                self.model.average.update(self.model.averaged, self.model.distribute_strategy.num_replicas_in_sync)
        self._before = now

    def _rate(self, step: int) -> float:
        """The part of the learning rate that applies at a step."""
        return 1.0 if self.model.rate is None else float(self.model.rate.factor(step))

    def on_test_begin(self, logs: Any = None) -> None:
        exchange_average(self.model)

    def on_test_end(self, logs: Any = None) -> None:
        exchange_average(self.model)


class Checkpoints(keras.callbacks.Callback):
    """Saves checkpoints within a round, and restores the metrics of a resumed round.

    Args:
        save: called with the number of steps done in the round.
        seconds: seconds of training between two checkpoints.
        done: steps of the round that an earlier process completed. The model's metrics include them, but `fit` resets metrics.
        steps: steps of the round. After the last step, the checkpoint at the end of the round is saved instead.
        now: clock in seconds.
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


def progress_line(entry: Mapping[str, Any], rounds: Rounds, tasks: Sequence[str], best: bool) -> str:
    """Log line of a round: "epoch 2/5: loss 0.2511, val_score 0.9603 (click 0.2001, order -), ..."; "-": not measured."""
    each = ", ".join(f"{task} {_figure(entry.get(f'val_{task}_loss'))}" for task in tasks)
    return (
        f"epoch {entry['epoch']:g}/{rounds.passes(rounds.count - 1):g}: loss {entry['loss']:.5g}, "
        f"val_score {_figure(entry.get('val_score'))} ({each}), "
        f"{entry['examples_per_second']:,.0f} examples/s, {entry['seconds']:.1f} s{', best so far' if best else ''}"
    )


def _figure(loss: float | None) -> str:
    return "-" if loss is None else f"{loss:.5g}"


_SCALAR = tf.compat.v1.SummaryMetadata(plugin_data={"plugin_name": "scalars"}, data_class="DATA_CLASS_SCALAR")
"""Metadata that `tf.summary.scalar` adds to a value. That function requires TensorBoard, this code does not."""


class Curves:
    """Writes the losses of each epoch, and what the methods did, as TensorBoard curves: the runs `train` and `validation`, with
    the same names.

    Args:
        folder: parent of the sub-folders `train` and `validation`.
    """

    def __init__(self, folder: Path) -> None:
        self._writers = {name: tf.summary.create_file_writer(str(folder / name)) for name in ("train", "validation")}

    def write(self, entry: Mapping[str, Any], tasks: Sequence[str]) -> None:
        """Writes one epoch."""
        for run, prefix in (("train", ""), ("validation", "val_")):
            with self._writers[run].as_default(step=entry["step"]):
                of_methods = [name for name in entry if name.startswith(tuple(PANELS))]
                for name in ("loss", "score", *(f"{task}_loss" for task in tasks), *of_methods):
                    if prefix + name in entry:
                        tf.summary.write(name, tf.constant(entry[prefix + name], tf.float32), metadata=_SCALAR)
            self._writers[run].flush()

    def close(self) -> None:
        for writer in self._writers.values():
            writer.close()
