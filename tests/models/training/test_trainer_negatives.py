"""`negative_rate`: a model of a share of the negatives that is as good and as calibrated as one of all."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from linear_plan import linear_plan
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from models.features.input_pipeline import Columns
from models.features.layout import FeatureLayout
from models.features.thinned_rows import kept
from models.training import trainer
from models.training.checkpoint import TrainingCheckpoint
from models.training.plan import TaskPlan
from models.training.shrinkage import factor
from models.training.validation import Validation

TASKS = ("click", "buy")
LAYOUT = FeatureLayout(tables={}, categorical=(), multivalued={}, numeric=("a", "b", "c"))


def split(rows: int, seed: int) -> Columns:
    """`click` with log odds -3.3 + 1.2 a - 0.8 b + 0.4 c; `buy` is observed on clicks, so no negative of a click has it."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, 3)).astype(np.float32)
    click = random.random(rows) < 1 / (1 + np.exp(3.3 - x @ [1.2, -0.8, 0.4]))
    buy = click & (random.random(rows) < 0.3)
    labels = np.stack([click, buy], axis=1).astype(np.float32)
    weights = np.stack([np.ones(rows), click], axis=1).astype(np.float32)
    return Columns({"numeric": x}, labels, weights, np.arange(rows), TASKS)


TRAIN, VALIDATE, EVAL = split(20_000, 1), split(4000, 2), split(40_000, 3)


def train(folder: Path, rate: float, data: Columns = TRAIN, **training: object) -> trainer.Trained:
    rates = {"click": rate, "buy": 1.0}
    plan = linear_plan(
        {
            task: TaskPlan(kind="binary", loss="binary_crossentropy", weight=1.0, negative_rate=of_task)
            for task, of_task in rates.items()
        },
        **{
            "epochs": 6 if rate == 1 else 30,
            "evaluate_every": 10**6,
            "batch_size": 256,
            "learning_rate": 0.03,
            **training,
        },
    )
    return trainer.train(plan, LAYOUT, data, VALIDATE, TrainingCheckpoint(folder / "checkpoint"), folder / "run")


def predictions(trained: trainer.Trained) -> NDArray[np.float32]:
    return np.asarray(trained.model.predictions({"numeric": EVAL.arrays["numeric"]})["click"])


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> trainer.Trained:
    return train(tmp_path_factory.mktemp("whole"), 1.0)


@pytest.fixture(scope="module")
def thinned(tmp_path_factory: pytest.TempPathFactory) -> trainer.Trained:
    return train(tmp_path_factory.mktemp("thinned"), 0.1)


def test_a_tenth_of_the_negatives_is_as_good_and_as_calibrated(
    whole: trainer.Trained, thinned: trainer.Trained
) -> None:
    click = EVAL.labels[:, 0]
    assert thinned.rows < 0.2 * whole.rows == 0.2 * len(TRAIN.labels)
    one, other = predictions(whole), predictions(thinned)
    assert roc_auc_score(click, other) == pytest.approx(roc_auc_score(click, one), abs=0.003)
    assert other.sum() / click.sum() == pytest.approx(1.0, abs=0.08)
    assert other.sum() / one.sum() == pytest.approx(1.0, abs=0.08)
    # Without the shift the odds are ten times as high: the logit of this model is wrong, not only its scale.
    shift = thinned.model.scales.shift
    assert shift.numpy().tolist() == pytest.approx([np.log(0.1), 0.0]) and not whole.model.scales.shift.numpy().any()
    odds = other / (1 - other)
    raw = np.asarray(thinned.model({"numeric": EVAL.arrays["numeric"]}, training=True)["click"])
    np.testing.assert_allclose(np.exp(raw), 10 * odds, rtol=1e-4)
    assert (1 / (1 + np.exp(-raw))).sum() / click.sum() > 4


def test_the_training_loss_is_that_of_the_thinned_rows_and_the_validation_loss_of_all(
    whole: trainer.Trained, thinned: trainer.Trained
) -> None:
    last = thinned.rounds[-1]
    assert last["val_click_loss"] == pytest.approx(whole.rounds[-1]["val_click_loss"], rel=0.03)
    assert last["click_loss"] > 2 * last["val_click_loss"]
    # The constant to compare with predicts the rate of all rows, and so does the one to shrink to.
    model, arrays = thinned.model, (VALIDATE.labels[:], VALIDATE.weights[:])
    validation = Validation(TASKS, model.loss_functions, model.scales, *arrays)
    rate = TRAIN.labels[:, 0].mean()
    held = VALIDATE.labels[:, 0].mean()
    entropy = -held * np.log(rate) - (1 - held) * np.log(1 - rate)
    assert validation.constants["click"] == pytest.approx(entropy, rel=0.01)
    constant = model.scales.best_constants[0]
    assert constant[0] == pytest.approx(np.log(rate / (1 - rate)), abs=0.1)
    noise = constant[0] + np.random.default_rng(0).normal(size=len(VALIDATE.labels)).astype(np.float32)
    assert factor(model.loss_functions[0], noise, constant, arrays[0][:, 0], arrays[1][:, 0]) < 0.3


def test_the_second_model_of_bfloat16_has_the_shift(thinned: trainer.Trained, tmp_path: Path) -> None:
    """And what is left out has no part in anything: features that are no numbers there change nothing."""
    lost = (TRAIN.labels[:, 0] == 0) & ~kept(TRAIN.example_id, 0.1, 1)
    x = np.where(lost[:, None], np.nan, TRAIN.arrays["numeric"]).astype(np.float32)
    again = train(tmp_path, 0.1, dataclasses.replace(TRAIN, arrays={"numeric": x}), precision="mixed_bfloat16")
    assert again.model.scales.shift.numpy().tolist() == pytest.approx([np.log(0.1), 0.0])
    assert predictions(again).sum() == pytest.approx(predictions(thinned).sum(), rel=0.03)
