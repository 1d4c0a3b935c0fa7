"""The synthetic tasks of falling correlation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import task_correlation
from benchmarks.task_correlation import INPUTS, draw, options_of, problem


@pytest.fixture(autouse=True)
def _few_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task_correlation, "ROWS", {"train": 4000, "validate": 10, "test": 10})


def correlation_of(labels: Any) -> float:
    return float(np.asarray(np.corrcoef(labels.T))[0, 1])


def test_the_labels_correlate_as_the_weights_do() -> None:
    same, apart = (problem(correlation, 3)["train"][1] for correlation in (1.0, 0.0))
    assert correlation_of(same) > 0.98  # the noise alone differs
    assert abs(correlation_of(apart)) < 0.06
    x, labels = problem(0.5, 3)["train"]
    assert x.shape == (4000, INPUTS) and labels.shape == (4000, 2)
    assert 0.06 < correlation_of(labels) < 0.98


def test_a_seed_is_one_problem() -> None:
    np.testing.assert_array_equal(problem(0.5, 1)["test"][1], problem(0.5, 1)["test"][1])
    assert not np.array_equal(problem(0.5, 1)["test"][1], problem(0.5, 2)["test"][1])
    np.testing.assert_array_equal(problem(0.5, 1)["test"][0], problem(1.0, 1)["test"][0])


def test_the_sized_option_of_each_architecture() -> None:
    assert options_of("mmoe", 5) == {"units": (5,), "tower_units": (8,), "experts": 4}
    assert options_of("joint_many_task", 5) == {"level_units": 5, "tower_units": (8,)}
    assert options_of("linear", 5) == {}


def test_the_figure_is_the_same_twice(tmp_path: Path) -> None:
    errors = {"shared_bottom": {0.0: [0.5, 0.6], 1.0: [0.3]}, "mmoe": {0.0: [0.4], 1.0: [0.3]}}
    for name in ("one.svg", "two.svg"):
        draw(errors, tmp_path / name)
    first, second = ((tmp_path / name).read_text() for name in ("one.svg", "two.svg"))
    assert first == second
    assert "shared_bottom" in first and "correlation of the two tasks" in first
