from __future__ import annotations

import dataclasses

import pytest

from benchmarks import evaluation
from benchmarks.session import Session

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
NAMES = {"log_loss": "binary_crossentropy", "mae": "mean_absolute_error", "calibration": "calibration"}


def test_all_of_the_same_examples_have_the_metrics_of_tfma(tiny: Session) -> None:
    whole = dataclasses.replace(tiny, peer_rows=2_000)
    ours, alone, tfma = evaluation.run(whole)
    assert ours.measured.rows == tfma.measured.rows == 1_600
    assert alone.measured.rows == 2_000 and alone.measured.answer["tasks"] == 4
    for task, mine in ours.measured.answer["metrics"].items():
        theirs = tfma.measured.answer["metrics"][task]
        compared = {name: theirs[other] for name, other in NAMES.items() if name in mine and other in theirs}
        assert len(compared) == 2
        assert {name: mine[name] for name in compared} == pytest.approx(compared, rel=1e-5), task
        assert mine["example_count"] == theirs["example_count"]
        # TFMA's is that of 10,000 thresholds, ours is exact: they differ where an interval holds several predictions.
        if "auc" in mine:
            assert mine["auc"] == pytest.approx(theirs["auc"], abs=2e-3)


def test_there_are_as_many_slices_as_the_target_is_for(tiny: Session) -> None:
    inputs = tiny.inputs(None, evaluation.SPLIT)
    measured = tiny.time(inputs.ours("evaluation", inputs.upto("trainer")))
    assert measured.answer["slices"] == 4 * 20
