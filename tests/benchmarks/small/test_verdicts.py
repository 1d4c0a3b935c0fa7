"""The verdicts of the small problems: their arithmetic by hand."""

import math

import numpy as np
import pytest

from benchmarks.small.metrics import Measure
from benchmarks.small.verdicts import Gap, Line, gap, line, verdicts

BINARY = Measure(binary=True, log=False)
NO_GAP = Gap(loss=0.0, error=0.0)


def result(task: str, logistic: float, boosted: float, constant: float, binary: bool = True) -> Line:
    """A task where the model is worse by so much."""
    gaps = {"logistic": Gap(loss=logistic, error=0.1), "boosted": Gap(loss=boosted, error=0.1)}
    losses = {**(dict.fromkeys(gaps, NO_GAP) if binary else gaps), "constant": Gap(loss=constant, error=0.1)}
    return Line(
        problem="p",
        task=task,
        binary=binary,
        rows=1,
        positives=1,
        auc={},
        loss={},
        auc_gaps=gaps if binary else {},
        loss_gaps=losses,
    )


def test_the_error_of_a_gap_is_of_rows_and_of_seeds() -> None:
    """Losses 0.01 and 0.03: mean 0.02, variance 0.0002, of the mean 0.0001; errors 0.03 and 0.01: mean square 0.0005."""
    found = gap([0.01, 0.03], [0.03, 0.01])
    assert found.loss == pytest.approx(0.02)
    assert found.error == pytest.approx(math.sqrt(0.0006))
    low, high = found.interval
    assert (low + high) / 2 == pytest.approx(0.02)
    assert high - low == pytest.approx(2 * 1.959964 * math.sqrt(0.0006))
    assert gap([0.01], [0.03]) == Gap(loss=0.01, error=0.03)


def test_a_line_compares_the_first_architecture_on_the_same_rows() -> None:
    labels = np.array([1.0, 0.0, 1.0, 0.0])
    model, linear = np.array([0.9, 0.1, 0.8, 0.2]), np.array([0.9, 0.1, 0.3, 0.4])
    half = np.full(4, 0.5)
    found = line(
        "p", "t", BINARY, labels, {"mmoe": [model], "linear": [linear]}, {"logistic": linear, "constant": half}, None
    )
    assert (found.rows, found.positives) == (4, 2)
    assert found.auc == {"mmoe": (1.0,), "linear": (0.75,), "logistic": (0.75,)}
    assert found.auc_gaps["logistic"].loss == pytest.approx(-0.25)
    assert set(found.loss) == {"mmoe", "linear", "logistic", "constant"}
    assert found.loss["constant"] == (pytest.approx(math.log(2.0)),)
    expected = -(2 * math.log(0.9) + 2 * math.log(0.8)) / 4 - math.log(2.0)
    assert found.loss_gaps["constant"].loss == pytest.approx(expected)


def test_a_regression_is_compared_in_the_unit_of_its_loss() -> None:
    labels = np.expm1(np.array([0.0, 2.0, 4.0]))
    model, other = np.expm1(np.array([1.0, 2.0, 4.0])), np.expm1(np.array([3.0, 2.0, 4.0]))
    found = line("p", "t", Measure(binary=False, log=True), labels, {"mmoe": [model]}, {"logistic": other}, None)
    assert not found.auc
    assert found.gaps["logistic"].loss == pytest.approx(math.sqrt(1 / 3) - math.sqrt(9 / 3))


def test_each_rule() -> None:
    rows = [result("good", -0.01, -0.02, -0.1), result("near", 0.003, -0.01, -0.1), result("poor", 0.0031, 0.01, 0.001)]
    close, ahead, useful = verdicts(rows)
    assert (close.met, close.held, close.of, close.failed) == (False, 2, 3, ("p poor",))
    assert (ahead.met, ahead.held, ahead.failed) == (False, 1, ("p near", "p poor"))
    assert (useful.met, useful.failed) == (False, ("p poor",))
    close, ahead, useful = verdicts(rows[:2])
    assert close.met and ahead.met and useful.met
    assert ahead.held == 1


def test_a_failure_beyond_its_interval_is_marked() -> None:
    """The errors are 0.1, so a loss of 0.196 has an interval from 0: 0.19 is within it, and 0.2 is beyond it."""
    rows = [result("within", 0.19, -1.0, 0.19), result("beyond", 0.2, -1.0, 0.2)]
    close, ahead, useful = verdicts(rows)
    assert useful.failed == close.failed == ("p within", "p beyond")
    assert useful.beyond == ahead.beyond == close.beyond == ("p beyond",)


def test_a_regression_has_no_tolerance() -> None:
    close, ahead, _ = verdicts([result("amount", 0.001, -1.0, -1.0, binary=False)])
    assert close.failed == ahead.failed == ("p amount",)
