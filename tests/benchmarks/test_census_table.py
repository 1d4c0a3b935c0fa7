"""The table of the Census-Income benchmark, with numbers worked by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.census_table import Training, append_training, interval, markdown, read_trainings


def training(subject: str, seed: int, auc: float) -> Training:
    metrics = {"income": {"auc": auc, "log_loss": 0.125}}
    return Training(subject=subject, seed=seed, key="k", metrics=metrics, about={"rows": 7})


def test_an_interval_by_hand() -> None:
    """Mean 3, standard deviation sqrt(10 / 4), t(0.975, 4) = 2.776445."""
    mean, half = interval([1.0, 2.0, 3.0, 4.0, 5.0])
    assert mean == 3.0
    assert half == pytest.approx(2.776445 * (10 / 4) ** 0.5 / 5**0.5, rel=1e-6)


def test_one_seed_has_no_interval_and_equal_values_a_narrow_one() -> None:
    assert interval([0.5]) == (0.5, None)
    assert interval([0.5, 0.5]) == (0.5, 0.0)


def test_a_row_per_subject_in_order() -> None:
    """Of 0.95 and 0.96: mean 0.955, half 12.706205 * 0.0070711 / sqrt(2) = 0.0635310."""
    found = markdown([training("b", 1, 0.95), training("a", 1, 0.9), training("b", 2, 0.96)], ["income"])
    assert found.splitlines() == [
        "|  | seeds | income AUC | income log loss |",
        "| --- | ---: | ---: | ---: |",
        "| b | 2 | 0.95500 ± 0.06353 | 0.12500 ± 0.00000 |",
        "| a | 1 | 0.90000 | 0.12500 |",
    ]


def test_what_was_appended_is_read(tmp_path: Path) -> None:
    path = tmp_path / "runs" / "census.jsonl"
    assert read_trainings(path) == []
    trainings = [training("a", 1, 0.9), training("a", 2, 0.8)]
    for each in trainings:
        append_training(path, each)
    assert read_trainings(path) == trainings
