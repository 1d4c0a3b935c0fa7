"""What goes on beside the training's steps."""

from __future__ import annotations

import math
from pathlib import Path
from types import SimpleNamespace

import keras
import pytest
import tensorflow as tf

from models.recipe.errors import TrainingError
from models.training.callbacks import (
    Checkpoints,
    Clock,
    Curves,
    StopOnNaN,
    TablePasses,
    check_eval_losses,
    progress_line,
)
from models.training.learning_rate import LearningRate
from models.training.rounds import Rounds

ROUNDS = Rounds(batch_size=32, pass_steps=10, round_steps=10, steps=50)
ENTRY = {
    "epoch": 2,
    "step": 20,
    "val_score": 0.97,
    "loss": 0.251149,
    "val_loss": 0.26,
    "click_loss": 0.2,
    "val_click_loss": 0.20012345,
    "order_loss": 12.0,
    "val_order_loss": 1234.5,
    "seconds": 3.21,
    "examples_per_second": 123456.7,
}


class Model:
    """As much of a MultiTaskModel as the callback looks at."""

    def __init__(self) -> None:
        self.bad: dict[str, int] = {}

    def first_bad_step(self) -> dict[str, int]:
        return self.bad


def test_the_first_bad_task_and_step_are_named() -> None:
    callback = StopOnNaN(every=3)
    callback.set_model(Model())
    callback.on_train_batch_end(0)
    callback.on_test_begin()
    callback.model.bad = {"click": 41, "order": 17, "like": 17}
    callback.on_train_batch_end(1)
    with pytest.raises(TrainingError, match=r"of task 'order', 'like' is not finite from step 17 on.*learning_rate"):
        callback.on_train_batch_end(2)
    with pytest.raises(TrainingError, match="step 17"):
        callback.on_test_begin()


def test_an_eval_loss_that_is_not_finite_is_refused() -> None:
    check_eval_losses(ENTRY, ("click", "order"))
    with pytest.raises(TrainingError, match="after epoch 2 the validation loss of 'order' is not finite"):
        check_eval_losses({**ENTRY, "val_order_loss": float("inf"), "val_loss": float("inf")}, ("click", "order"))
    with pytest.raises(TrainingError, match="the validation loss of all tasks together is not"):
        check_eval_losses({**ENTRY, "val_loss": float("nan")}, ("click", "order"))


def test_the_clock_leaves_the_evaluation_out() -> None:
    times = iter([10.0, 12.5])
    clock = Clock(lambda: next(times))
    clock.on_epoch_begin(0)
    clock.on_test_begin()
    assert clock.seconds == 2.5


def test_a_state_is_kept_every_so_often_but_not_after_the_last_step() -> None:
    """Steps 2 to 5 of 6, which end at 4, 11, 12 and 21 seconds, then the last."""
    times, saved = iter([0.0, 4.0, 11.0, 12.0, 13.0, 23.0, 23.5]), []
    checkpoints = Checkpoints(saved.append, seconds=10, done=1, steps=6, now=lambda: next(times))
    for batch in range(5):
        checkpoints.on_train_batch_end(batch)
    assert saved == [3, 5]


def test_metrics_of_an_epoch_that_is_taken_up_go_on() -> None:
    variables = [keras.Variable(3.0), keras.Variable(7.0)]
    for done, expected in ((0, [0.0, 0.0]), (4, [3.0, 7.0])):
        checkpoints = Checkpoints(print, seconds=10, done=done, steps=6, now=lambda: 0.0)
        checkpoints.set_model(SimpleNamespace(metrics_variables=variables))
        for variable, value in zip(variables, [3.0, 7.0], strict=True):
            variable.assign(value)
        checkpoints.on_train_begin()
        for variable in variables:  # what `fit` does before each epoch
            variable.assign(0.0)
        checkpoints.on_epoch_begin(0)
        assert [float(variable.numpy()) for variable in variables] == expected


def test_an_epoch_in_words() -> None:
    assert progress_line(ENTRY, ROUNDS, ("click", "order"), best=True) == (
        "epoch 2/5: loss 0.25115, val_score 0.97 (click 0.20012, order 1234.5), 123,457 examples/s, 3.2 s, best so far"
    )
    assert progress_line(ENTRY, ROUNDS, ("click", "order"), best=False).endswith("examples/s, 3.2 s")


def test_curves_of_train_and_validation_have_the_same_names(tmp_path: Path) -> None:
    curves = Curves(tmp_path)
    curves.write(ENTRY, ("click", "order"))
    curves.close()
    read = {}
    for run in ("train", "validation"):
        (path,) = (tmp_path / run).iterdir()
        for record in tf.data.TFRecordDataset(str(path)):
            event = tf.compat.v1.Event.FromString(record.numpy())
            for value in event.summary.value:
                read[run, value.tag, event.step] = float(tf.make_ndarray(value.tensor))
    assert read == pytest.approx(
        {
            ("train", "loss", 20): 0.251149,
            ("train", "click_loss", 20): 0.2,
            ("train", "order_loss", 20): 12.0,
            ("validation", "loss", 20): 0.26,
            ("validation", "score", 20): 0.97,
            ("validation", "click_loss", 20): 0.20012345,
            ("validation", "order_loss", 20): 1234.5,
        }
    )


def e_folds(calls: list[int], first: int = 0, rate: LearningRate | None = None) -> float:
    """E-folds of the rows after calls of one or several steps each, from step `first` on, at 0.01 a step every 10 steps."""
    table = keras.Variable([[1.0]])
    model = SimpleNamespace(
        optimizer=SimpleNamespace(iterations=keras.Variable(first)),
        pass_every=10,
        average=None,
        rate=rate,
        encoder=SimpleNamespace(embeddings=[table]),
    )
    callback = TablePasses(0.01)
    callback.set_model(model)
    callback.on_train_begin()
    done = 0
    for steps in calls:
        done += steps
        callback.on_train_batch_end(done - 1)
    return -math.log(float(table.value[0, 0]))


def test_rows_decay_by_the_step_however_the_steps_are_called() -> None:
    assert e_folds([1] * 40) == pytest.approx(0.4)
    assert e_folds([20, 20]) == pytest.approx(0.4)
    assert e_folds([1] * 25) + e_folds([1] * 15, first=25) == pytest.approx(0.4)
    assert e_folds([1] * 9) == 0


def test_rows_decay_with_the_learning_rate() -> None:
    cosine = LearningRate(0.002, "cosine", steps=40)
    by_hand = 0.1 * sum((1 + math.cos(math.pi * step / 40)) / 2 for step in (10, 20, 30)) + 0.1 * 0.01
    assert e_folds([1] * 40, rate=cosine) == pytest.approx(by_hand)
    assert e_folds([20, 20], rate=cosine) == pytest.approx(by_hand)
