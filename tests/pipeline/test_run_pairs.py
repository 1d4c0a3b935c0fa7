"""The paired comparison of the eval predictions of two runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from pipeline.run_pairs import paired_metrics
from tests.doubles.run_records import A, B, record

LABELS = np.array([1, 0, 1, 0], np.float32)


def predicted(folder: Path, run: str, predictions: list[float], **changed: Any) -> dict[str, Any]:
    """A record whose predictions lie in two files, as those of two partitions."""
    columns = {
        "gatewise/example_id": [1, 2, 3, 4],
        "user": ["u", "u", "v", None],
        "label/click": LABELS,
        "weight/click": np.ones(4, np.float32),
        "prediction/click": np.array(predictions, np.float32),
    }
    frame = pl.DataFrame(columns | changed)
    place = folder / run / "predictions"
    place.mkdir(parents=True)
    frame[2:].write_parquet(place / "predictions-00000-of-00002.parquet")
    frame[:2].write_parquet(place / "predictions-00001-of-00002.parquet")
    return record(run, metrics={"click": {"auc": 0.5, "log_loss": 0.7, "example_count": 4}}, predictions=str(place))


def test_the_gain_is_that_of_the_second_run(tmp_path: Path) -> None:
    """AUC of A: of the four pairs, (1, 2), (1, 4) and (3, 4) are in order: 3/4. Of B: all four, so the gain is 1/4."""
    first = predicted(tmp_path, A, [0.9, 0.5, 0.4, 0.1])
    second = predicted(tmp_path, B, [0.9, 0.2, 0.8, 0.1])
    found = paired_metrics(first, second)
    assert found.why_not == [] and set(found.found) == {("click", "auc"), ("click", "log_loss")}
    auc = found.found["click", "auc"]
    assert auc.gain == pytest.approx(0.25) and auc.lower < 0.25 < auc.upper
    expected = np.mean(np.log([0.8 / 0.4, 0.8 / 0.5])) / 2.0
    assert found.found["click", "log_loss"].gain == pytest.approx(expected, rel=1e-5), "a smaller loss is a gain"
    back = paired_metrics(second, first).found["click", "auc"]
    assert (back.gain, back.lower, back.upper) == pytest.approx((-auc.gain, -auc.upper, -auc.lower))


def test_the_groups_are_the_clusters(tmp_path: Path) -> None:
    """Rows of one user are not independent: the interval differs."""
    first, second = (predicted(tmp_path, run, p) for run, p in ((A, [0.9, 0.5, 0.4, 0.1]), (B, [0.9, 0.2, 0.8, 0.1])))
    rows = paired_metrics(first, second).found["click", "log_loss"]
    grouped = first["resolved"] | {"evaluation": {"group_key": "user"}}
    groups = paired_metrics(first | {"resolved": grouped}, second).found["click", "log_loss"]
    assert groups.gain == pytest.approx(rows.gain) and groups.upper != pytest.approx(rows.upper)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"gatewise/example_id": [1, 2, 3, 5]}, "the runs have different eval examples"),
        ({"label/click": 1 - LABELS}, "of click: its labels or weights differ"),
        ({"weight/click": LABELS}, "of click: its labels or weights differ"),
    ],
)
def test_other_examples_are_not_compared(changed: dict[str, Any], words: str, tmp_path: Path) -> None:
    same = [0.9, 0.5, 0.4, 0.1]
    found = paired_metrics(predicted(tmp_path, A, same), predicted(tmp_path, B, same, **changed))
    assert not found.found and words in found.why_not[0]


def test_a_run_without_predictions(tmp_path: Path) -> None:
    found = paired_metrics(predicted(tmp_path, A, [0.1] * 4), record(B))
    assert not found.found and found.why_not == [f"no paired comparison: {B} has no eval predictions."]
