"""`training.sampling`: rows drawn by task, and weights that keep the model calibrated."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from linear_plan import linear_plan
from numpy.typing import NDArray

from models.features import balanced_rows
from models.features.input_pipeline import Columns
from models.features.layout import FeatureLayout
from models.training import trainer
from models.training.checkpoint import TrainingCheckpoint
from models.training.plan import TaskPlan

TASKS = ("click", "buy")
ROWS = 4000
LAYOUT = FeatureLayout(tables={}, categorical=(), multivalued={}, numeric=("x",))


def split(seed: int) -> Columns:
    """`buy` is observed on a tenth of the rows, where `click` is five times as frequent as elsewhere. No feature tells."""
    random = np.random.default_rng(seed)
    observed = random.random(ROWS) < 0.1
    click = random.random(ROWS) < np.where(observed, 0.5, 0.1)
    buy = random.random(ROWS) < 0.3
    labels = np.stack([click, buy], axis=1).astype(np.float32)
    weights = np.stack([np.ones(ROWS), observed], axis=1).astype(np.float32)
    x = random.normal(size=(ROWS, 1)).astype(np.float32)
    return Columns({"numeric": x}, labels, weights, np.arange(ROWS), TASKS)


def calibration(data: Columns, folder: Path, sampling: str = "tasks") -> tuple[NDArray[np.float64], trainer.Trained]:
    """Mean prediction by mean label of each task after six passes, and the training."""
    plan = linear_plan(
        {task: TaskPlan(kind="binary", loss="binary_crossentropy", weight=1.0) for task in TASKS},
        **{"sampling": sampling, "epochs": 6, "evaluate_every": 6 * ROWS, "batch_size": 64, "learning_rate": 0.01},
        shrink_to_constant=False,
    )
    found = trainer.train(plan, LAYOUT, data, split(9), TrainingCheckpoint(folder / "checkpoint"), folder / "run")
    predictions = found.model.predictions({"numeric": data.arrays["numeric"][:]})
    weights = data.weights[:]
    sums = [np.sum(weights[:, i] * np.asarray(predictions[task])) for i, task in enumerate(TASKS)]
    return np.array(sums) / (weights * data.labels[:]).sum(axis=0), found


def test_the_corrected_weights_keep_the_model_calibrated(tmp_path: Path) -> None:
    data = split(1)
    found, trained = calibration(data, tmp_path)
    np.testing.assert_allclose(found, 1.0, atol=0.06)
    # The reported losses are those of all rows, not of the drawn ones.
    rates = (data.weights[:] * data.labels[:]).sum(axis=0) / data.weights[:].sum(axis=0)
    entropy = -(rates * np.log(rates) + (1 - rates) * np.log(1 - rates))
    assert trained.rounds[0]["click_loss"] == pytest.approx(entropy[0], rel=0.03)


def test_without_the_correction_it_predicts_the_rate_of_the_drawn_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Why the weights are corrected: this is what the test above would miss if it could not fail."""
    monkeypatch.setattr(balanced_rows, "corrections", lambda probability: np.ones(len(probability), np.float32))
    found, _ = calibration(split(1), tmp_path)
    assert found[0] > 1.5, "click: about 0.3 among the drawn rows, 0.14 among all"
