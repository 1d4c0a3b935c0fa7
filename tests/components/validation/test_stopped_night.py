"""A night that Validation stops leaves a record, and later nights leave out the days of the splits with findings."""

from __future__ import annotations

import json

import pytest
import tensorflow_data_validation as tfdv
from tfx.types import standard_artifacts

from components.push.nights import NightPlan, read_records
from components.validation.executor import Executor
from components.validation.findings import Finding
from components.validation.plan import ValidationPlan
from components.validation.stopped_night import record_stop
from models.recipe.errors import InputError
from models.recipe.night import Night

DAY = 86_400_000_000
THE_5TH = 1767571200_000_000  # 2026-01-05, midnight UTC
PLAN = NightPlan(
    night=Night(day="2026-01-09", start="warm", ancestor=100, cold_day="2026-01-02", learned_until=THE_5TH),
    eval_days=("2026-01-09",),
)


@pytest.fixture
def inputs(tmp_path):
    """Examples of a night that has learned the 5th and 6th, validates on the 7th and 8th, and evaluates the 9th."""
    examples = standard_artifacts.Examples()
    examples.uri = str(tmp_path / "examples")
    (tmp_path / "examples").mkdir()
    cursor = {"until": THE_5TH + 2 * DAY, "as_of": THE_5TH + 5 * DAY}
    (tmp_path / "examples" / "summary.json").write_text(json.dumps({"cursor": cursor}))
    statistics = standard_artifacts.ExampleStatistics()
    statistics.mlmd_artifact.create_time_since_epoch = 1767930000_500
    return {"examples": [examples], "statistics": [statistics]}


def found(*splits):
    return [Finding(kind="drift", split=split, column="device", words="drift") for split in splits]


@pytest.mark.parametrize(
    ("splits", "left_out"),
    [
        (["eval"], ["09"]),
        (["train"], ["05", "06"]),
        (["validate"], ["07", "08"]),
        (["eval", "train", "train"], ["05", "06", "09"]),
    ],
)
def test_the_days_of_the_splits_with_findings_are_left_out(tmp_path, inputs, splits, left_out):
    states = tmp_path / "states"
    record_stop(found(*splits), inputs, {"night": PLAN.model_dump_json(), "states": str(states)})
    [(version, record)] = read_records(states).items()
    assert version == record.version == 1767930000
    assert record.left_out == tuple(f"2026-01-{day}" for day in left_out)
    assert (record.day, record.start, record.ancestor, record.pushed) == ("2026-01-09", "warm", 100, False)
    assert record.learned_days == ("2026-01-05", "2026-01-06")
    assert record.reasons[0] == f"drift: column 'device', split {splits[0]}: drift"


def test_a_run_that_is_stopped_again_finds_its_record(tmp_path, inputs):
    states = tmp_path / "states"
    given = {"night": PLAN.model_dump_json(), "states": str(states)}
    for _ in range(2):
        record_stop(found("eval"), inputs, given)
    assert list(read_records(states)) == [1767930000]
    other = NightPlan(night=Night(day="2026-01-10", cold_day="2026-01-10"), eval_days=("2026-01-10",))
    record_stop(found("eval"), inputs, {**given, "night": other.model_dump_json()})
    assert {version: one.day for version, one in read_records(states).items()} == {
        1767930000: "2026-01-09",
        1767930001: "2026-01-10",
    }


def test_a_run_that_is_no_night_and_one_that_goes_on_leave_no_record(tmp_path, inputs):
    states = tmp_path / "states"
    record_stop(found("eval"), {}, {})
    record_stop([], inputs, {"night": PLAN.model_dump_json(), "states": str(states)})
    assert not states.exists()


def test_the_executor_records_before_it_stops(tmp_path, inputs, make_statistics, make_schema, statistics, frame):
    schema = make_schema(tfdv.infer_schema(statistics(frame()), infer_feature_shape=False))
    now = make_statistics("now", {"train": frame(), "eval": frame(device=["watch"] * 1000)}, 12)
    output = standard_artifacts.ExampleAnomalies()
    output.uri = str(tmp_path / "anomalies")
    given = {**inputs, "statistics": [now], "schema": [schema]}
    for curated, action, records in ((False, "stop", 0), (True, "warn", 0), (True, "stop", 1)):
        plan = ValidationPlan(curated=curated, on_anomaly=action)
        properties = {
            "plan": plan.model_dump_json(),
            "night": PLAN.model_dump_json(),
            "states": str(tmp_path / "states"),
        }
        if records:
            with pytest.raises(InputError, match="watch"):
                Executor().Do(given, {"anomalies": [output]}, properties)
        else:
            Executor().Do(given, {"anomalies": [output]}, properties)
        assert len(read_records(tmp_path / "states")) == records
    [record] = read_records(tmp_path / "states").values()
    assert record.left_out == ("2026-01-09",) and "watch" in record.reasons[0]
