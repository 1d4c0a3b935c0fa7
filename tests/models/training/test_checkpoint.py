"""Early stopping and checkpoints, between epochs and within them: one state, valid by one rename."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import keras
import numpy as np
import pytest

from models.training.checkpoint import EarlyStopping, Progress, TrainingCheckpoint


@pytest.fixture
def model() -> keras.Model:
    return make_model()


def make_model(units: int = 2) -> keras.Model:
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dropout(0.5), keras.layers.Dense(units)])
    model.compile(optimizer=keras.optimizers.Adam(0.1), loss="mse")
    model.optimizer.build(model.trainable_variables)
    return model


def after(epochs: int, loss: float = 1.5, patience: int = 5, steps: int = 0) -> Progress:
    progress = Progress(EarlyStopping(patience), steps=steps)
    for epoch in range(epochs):
        progress.stopping.update(epoch, loss + epoch)
        progress.history.append({"epoch": epoch + 1, "val_loss": loss + epoch})
    return progress


def step(model: keras.Model) -> None:
    model.train_on_batch(np.ones((4, 3), np.float32), np.arange(8, dtype=np.float32).reshape(4, 2))


def state(model: keras.Model) -> list[np.ndarray]:
    variables = [*model.variables, *model.optimizer.variables, *model.metrics_variables]
    return [variable.numpy() for variable in variables]


def same(one: list[np.ndarray], other: list[np.ndarray]) -> bool:
    return len(one) == len(other) and all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize(
    ("patience", "losses", "trained", "best_round"),
    [
        (1, [3.0, 2.0, 2.5, 1.0], 3, 1),
        (2, [3.0, 2.0, 2.5, 1.0], 4, 3),
        (2, [3.0, 3.5, 2.9, 3.0, 3.0, 1.0], 5, 2),
        (0, [3.0, 3.0, 1.0], 2, 0),
        (1, [3.0, 3.0, 1.0], 2, 0),
    ],
)
def test_stops_after_patience_epochs_without_a_smaller_loss(
    patience: int, losses: list[float], trained: int, best_round: int
) -> None:
    stopping = EarlyStopping(patience)
    epochs = 0
    for epoch, loss in enumerate(losses):
        if stopping.stopped:
            break
        stopping.update(epoch, loss)
        epochs += 1
    assert (epochs, stopping.best_round) == (trained, best_round)


@pytest.mark.parametrize("steps", [0, 7])
def test_the_state_goes_through_the_folder_bit_for_bit(model: keras.Model, tmp_path: Path, steps: int) -> None:
    step(model)
    TrainingCheckpoint(tmp_path / "checkpoint").save(model, after(1, steps=steps))
    saved = state(model)
    step(model)
    assert not same(saved, state(model))

    other, again = make_model(), Progress(EarlyStopping(patience=3))
    assert TrainingCheckpoint(tmp_path / "checkpoint").restore(other, again)
    assert same(saved, state(other))
    assert again == after(1, steps=steps, patience=3) and (again.round, again.steps) == (1, steps)
    step(other)
    assert same(state(model), state(other)), "the dropout's generator and the metrics are part of the state"


def test_the_best_weights_stay_while_later_states_are_worse(model: keras.Model, tmp_path: Path) -> None:
    checkpoint, progress = TrainingCheckpoint(tmp_path / "checkpoint"), Progress(EarlyStopping(5))
    weights = []
    for epoch, loss in enumerate([3.0, 1.0, 2.0]):
        step(model)
        weights.append([variable.numpy() for variable in model.variables])
        progress.stopping.update(epoch, loss)
        progress.history.append({})
        progress.steps = 0
        checkpoint.save(model, progress)
        step(model)
        progress.steps = 1
        checkpoint.save(model, progress)
    assert sorted(path.name for path in checkpoint.folder.iterdir()) == [
        "optimizer-00003-00000001.npz",
        "state.json",
        "weights-00002-00000000.npz",
        "weights-00003-00000001.npz",
    ]
    other = make_model()
    checkpoint.restore_best(other, progress.stopping)
    assert same([variable.numpy() for variable in other.variables], weights[1])


def test_a_kill_while_writing_leaves_the_state_before(model: keras.Model, tmp_path: Path) -> None:
    checkpoint = TrainingCheckpoint(tmp_path / "checkpoint")
    step(model)
    checkpoint.save(model, after(1))
    saved = state(model)
    # What a kill in the middle of the next save leaves: a cut file, and a state that was not renamed.
    whole = (checkpoint.folder / "weights-00001-00000000.npz").read_bytes()
    (checkpoint.folder / "weights-00001-00000004.npz").write_bytes(whole[:100])
    (checkpoint.folder / ".state.json").write_text('{"steps": 4, "stop')

    other, again = make_model(), Progress(EarlyStopping(5))
    assert checkpoint.restore(other, again) and again == after(1)
    assert same(saved, state(other))
    step(other)
    checkpoint.save(other, after(1, steps=4))
    assert checkpoint.restore(make_model(), again) and again.steps == 4


def cut(folder: Path) -> None:
    path = folder / "weights-00001-00000000.npz"
    path.write_bytes(path.read_bytes()[:200])


def flip(folder: Path) -> None:
    path = folder / "weights-00001-00000000.npz"
    content = bytearray(path.read_bytes())
    content[content.index(b"\n") + 20] ^= 1
    path.write_bytes(content)


def lose(folder: Path) -> None:
    (folder / "optimizer-00001-00000000.npz").unlink()


def strange(folder: Path) -> None:
    (folder / "state.json").write_text(json.dumps({"epoch": 0}))


@pytest.mark.parametrize("harm", [cut, flip, lose, strange])
def test_an_unusable_checkpoint_is_left_for_a_new_start(
    model: keras.Model, tmp_path: Path, caplog: pytest.LogCaptureFixture, harm: object
) -> None:
    checkpoint = TrainingCheckpoint(tmp_path / "checkpoint")
    checkpoint.save(model, after(1))
    harm(checkpoint.folder)  # type: ignore[operator]
    other = make_model()
    before, again = state(other), Progress(EarlyStopping(5))
    with caplog.at_level(logging.WARNING):
        assert not checkpoint.restore(other, again)
    assert "does not match this training. Starting from the beginning" in caplog.text
    assert same(before, state(other)) and again == Progress(EarlyStopping(5))
    assert not checkpoint.folder.exists()


def test_a_checkpoint_of_another_model_is_not_taken(
    model: keras.Model, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    checkpoint = TrainingCheckpoint(tmp_path / "checkpoint")
    checkpoint.save(model, after(1))
    assert not checkpoint.restore(make_model(units=3), Progress(EarlyStopping(5)))
    assert "expected arrays of shapes" in caplog.text


def test_without_a_checkpoint_nothing_happens_and_removing_leaves_no_litter(model: keras.Model, tmp_path: Path) -> None:
    checkpoint = TrainingCheckpoint(tmp_path / ".checkpoint" / "key")
    assert not checkpoint.restore(model, Progress(EarlyStopping(1)))
    checkpoint.remove()
    checkpoint.save(model, after(1))
    TrainingCheckpoint(tmp_path / ".checkpoint" / "other").save(model, after(1))
    checkpoint.remove()
    assert [path.name for path in (tmp_path / ".checkpoint").iterdir()] == ["other"]
    TrainingCheckpoint(tmp_path / ".checkpoint" / "other").remove()
    assert not (tmp_path / ".checkpoint").exists()
