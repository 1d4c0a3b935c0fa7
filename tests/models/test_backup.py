"""Early stopping and backups: one state, valid by one rename."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import keras
import numpy as np
import pytest

from models.backup import Backup, EarlyStopping


@pytest.fixture
def model() -> keras.Model:
    return make_model()


def make_model(units: int = 2) -> keras.Model:
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dropout(0.5), keras.layers.Dense(units)])
    model.compile(optimizer=keras.optimizers.Adam(0.1), loss="mse")
    model.optimizer.build(model.trainable_variables)
    return model


def step(model: keras.Model) -> None:
    model.train_on_batch(np.ones((4, 3), np.float32), np.arange(8, dtype=np.float32).reshape(4, 2))


def state(model: keras.Model) -> list[np.ndarray]:
    return [variable.numpy() for variable in [*model.variables, *model.optimizer.variables]]


def same(one: list[np.ndarray], other: list[np.ndarray]) -> bool:
    return len(one) == len(other) and all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize(
    ("patience", "losses", "trained", "best_epoch"),
    [
        (1, [3.0, 2.0, 2.5, 1.0], 3, 1),
        (2, [3.0, 2.0, 2.5, 1.0], 4, 3),
        (2, [3.0, 3.5, 2.9, 3.0, 3.0, 1.0], 5, 2),
        (0, [3.0, 3.0, 1.0], 2, 0),
        (1, [3.0, 3.0, 1.0], 2, 0),
    ],
)
def test_stops_after_patience_epochs_without_a_smaller_loss(
    patience: int, losses: list[float], trained: int, best_epoch: int
) -> None:
    stopping = EarlyStopping(patience)
    epochs = 0
    for epoch, loss in enumerate(losses):
        if stopping.stopped:
            break
        stopping.update(epoch, loss)
        epochs += 1
    assert (epochs, stopping.best_epoch) == (trained, best_epoch)


def test_the_state_goes_through_the_folder_bit_for_bit(model: keras.Model, tmp_path: Path) -> None:
    step(model)
    stopping = EarlyStopping(2)
    stopping.update(0, 1.5)
    Backup(tmp_path / "backup").save(model, 0, stopping, [{"epoch": 1, "val_loss": 1.5}])
    saved = state(model)
    step(model)
    assert not same(saved, state(model))

    other, again = make_model(), EarlyStopping(2)
    assert Backup(tmp_path / "backup").restore(other, again) == [{"epoch": 1, "val_loss": 1.5}]
    assert same(saved, state(other))
    assert again == stopping
    step(other)
    assert same(state(model), state(other)), "the dropout's generator is part of the state"


def test_the_best_weights_stay_while_later_epochs_are_worse(model: keras.Model, tmp_path: Path) -> None:
    backup, stopping = Backup(tmp_path / "backup"), EarlyStopping(5)
    weights = []
    for epoch, loss in enumerate([3.0, 1.0, 2.0, 2.5]):
        step(model)
        weights.append([variable.numpy() for variable in model.variables])
        stopping.update(epoch, loss)
        backup.save(model, epoch, stopping, [])
    assert sorted(path.name for path in backup.folder.iterdir()) == [
        "optimizer-00003.npz",
        "state.json",
        "weights-00001.npz",
        "weights-00003.npz",
    ]
    other = make_model()
    backup.restore_best(other, stopping)
    assert same([variable.numpy() for variable in other.variables], weights[1])


def test_a_kill_while_writing_leaves_the_state_before(model: keras.Model, tmp_path: Path) -> None:
    backup, stopping = Backup(tmp_path / "backup"), EarlyStopping(5)
    step(model)
    stopping.update(0, 1.0)
    backup.save(model, 0, stopping, [{"epoch": 1}])
    saved = state(model)
    # What a kill in the middle of the next save leaves: a cut file, and a state that was not renamed.
    (backup.folder / "weights-00001.npz").write_bytes((backup.folder / "weights-00000.npz").read_bytes()[:100])
    (backup.folder / ".state.json").write_text('{"epoch": 1, "stop')

    other, again = make_model(), EarlyStopping(5)
    assert backup.restore(other, again) == [{"epoch": 1}]
    assert same(saved, state(other))
    step(other)
    backup.save(other, 1, again, [{"epoch": 1}, {"epoch": 2}])
    assert backup.restore(make_model(), EarlyStopping(5)) == [{"epoch": 1}, {"epoch": 2}]


def cut(folder: Path) -> None:
    path = folder / "weights-00000.npz"
    path.write_bytes(path.read_bytes()[:200])


def lose(folder: Path) -> None:
    (folder / "optimizer-00000.npz").unlink()


def strange(folder: Path) -> None:
    (folder / "state.json").write_text(json.dumps({"epoch": 0}))


@pytest.mark.parametrize("harm", [cut, lose, strange])
def test_an_unusable_backup_is_left_for_a_new_start(
    model: keras.Model, tmp_path: Path, caplog: pytest.LogCaptureFixture, harm: object
) -> None:
    backup, stopping = Backup(tmp_path / "backup"), EarlyStopping(5)
    stopping.update(0, 1.0)
    backup.save(model, 0, stopping, [{"epoch": 1}])
    harm(backup.folder)  # type: ignore[operator]
    other = make_model()
    before, again = state(other), EarlyStopping(5)
    with caplog.at_level(logging.WARNING):
        assert backup.restore(other, again) == []
    assert "does not fit this training, which starts anew" in caplog.text
    assert same(before, state(other)) and again == EarlyStopping(5)
    assert not backup.folder.exists()


def test_a_backup_of_another_model_is_not_taken(
    model: keras.Model, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    backup, stopping = Backup(tmp_path / "backup"), EarlyStopping(5)
    stopping.update(0, 1.0)
    backup.save(model, 0, stopping, [{"epoch": 1}])
    assert backup.restore(make_model(units=3), EarlyStopping(5)) == []
    assert "expected arrays of shapes" in caplog.text


def test_without_a_backup_nothing_happens_and_removing_leaves_no_litter(model: keras.Model, tmp_path: Path) -> None:
    backup = Backup(tmp_path / ".backup" / "key")
    assert backup.restore(model, EarlyStopping(1)) == []
    backup.remove()
    stopping = EarlyStopping(1)
    stopping.update(0, 1.0)
    backup.save(model, 0, stopping, [])
    Backup(tmp_path / ".backup" / "other").save(model, 0, stopping, [])
    backup.remove()
    assert [path.name for path in (tmp_path / ".backup").iterdir()] == ["other"]
    Backup(tmp_path / ".backup" / "other").remove()
    assert not (tmp_path / ".backup").exists()
