from __future__ import annotations

import logging

import pytest

from components.validation.findings import Finding, decide
from components.validation.plan import ValidationPlan
from models.recipe.errors import InputError

SCHEMA = Finding(kind="schema", split="train", column="device", words="Unexpected value: watch.")
DRIFT = Finding(kind="drift", split="eval", column="price", words="moved by 0.4, above the limit 0.1.")


def test_everything_in_one_message():
    with pytest.raises(InputError) as error:
        decide([SCHEMA, DRIFT], ValidationPlan(curated=True))
    assert str(error.value).splitlines()[:3] == [
        "The examples violate the curated schema and have drifted from those of the last good run. "
        "No model was trained.",
        "  - column 'device', split train: Unexpected value: watch.",
        "  - column 'price', split eval: moved by 0.4, above the limit 0.1.",
    ]
    assert "validation.on_anomaly" in str(error.value) and "validation.on_drift" in str(error.value)


def test_one_kind_stops_and_the_other_warns(caplog):
    with pytest.raises(InputError) as error:
        decide([SCHEMA, DRIFT], ValidationPlan(curated=True, on_drift="warn"))
    lines = str(error.value).splitlines()
    assert lines[0].startswith("The examples violate the curated schema. ")
    assert lines[2:4] == ["Warnings:", f"  - {DRIFT}"]
    assert "validation.on_drift" not in str(error.value)
    with pytest.raises(InputError, match="have drifted from those of the last good run"):
        decide([SCHEMA, DRIFT], ValidationPlan(curated=True, on_anomaly="warn"))


@pytest.mark.parametrize(
    "plan", [ValidationPlan(curated=True, on_anomaly="warn", on_drift="warn"), ValidationPlan(on_drift="warn")]
)
def test_warnings_are_logged(plan, caplog):
    with caplog.at_level(logging.WARNING):
        decide([SCHEMA, DRIFT], plan)
    assert str(SCHEMA) in caplog.text and str(DRIFT) in caplog.text


def test_nothing_found(caplog):
    decide([], ValidationPlan(curated=True))
    assert caplog.text == ""
