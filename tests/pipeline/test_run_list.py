"""Filters, order and cells of `gatewise runs`."""

from __future__ import annotations

import pytest

from models.recipe.errors import InputError
from pipeline.run_list import row, selected
from tests.doubles.run_records import A, B, C, record


def metrics(**values: float) -> dict[str, dict[str, float]]:
    return {"click": {**values, "example_count": 5.0}}


RECORDS = [
    record(C, metrics=metrics(auc=0.72, calibration=1.2), recipe="feed"),
    record(B, metrics=metrics(auc=0.74, calibration=0.7)),
    record(A, metrics=metrics(auc=0.73, calibration=1.1)),
]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [C, B, A]),
        ({"recipe": "shop"}, [B, A]),
        ({"last": 2}, [C, B]),
        ({"task": "click"}, [B, A, C]),
        ({"task": "click", "metric": "calibration"}, [A, C, B]),
        ({"task": "click", "last": 1}, [C]),
    ],
)
def test_selected(options: dict[str, object], expected: list[str]) -> None:
    assert [one["id"] for one in selected(RECORDS, **options)] == expected  # type: ignore[arg-type]


def test_a_smaller_loss_is_better_and_a_run_without_a_value_is_left_out() -> None:
    records = [
        record(C, metrics={}),
        record(B, metrics=metrics(log_loss=0.4)),
        record(A, metrics=metrics(log_loss=0.3)),
    ]
    assert [one["id"] for one in selected(records, task="click")] == [A, B]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"recipe": "shp"}, "--recipe: unknown recipe 'shp'; did you mean 'shop'"),
        ({"task": "clik"}, "--task: unknown task 'clik'; did you mean 'click'"),
        ({"task": "click", "metric": "aux"}, "--metric: unknown metric 'aux'; did you mean 'auc'"),
    ],
)
def test_an_unknown_name(options: dict[str, str], words: str) -> None:
    with pytest.raises(InputError, match=words):
        selected(RECORDS, **options)  # type: ignore[arg-type]


def test_a_row_says_what_was_changed_and_what_came_of_it() -> None:
    one = record(A, overrides=["training.seed=2"], data_option="logs")
    assert row(one) == (
        A,
        "2026-01-01 08:00",
        "shop",
        "pushed",
        "click auc 0.7500",
        "73",
        "training.seed=2\n--data logs",
    )
    assert row(one, "click", "log_loss")[4] == "click log_loss 0.3000"
    begun = {key: value for key, value in one.items() if key not in ("metrics", "intervals")}
    assert row(begun | {"state": "killed", "seconds": None})[3:6] == ("killed", "", "-")
