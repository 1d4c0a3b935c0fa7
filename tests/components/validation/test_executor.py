from __future__ import annotations

import json
import os

import pytest
import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import anomalies_pb2
from tfx.components.example_validator import executor as stock
from tfx.types import standard_artifacts

from components.baselines.kept_statistics import newest
from components.validation.executor import Executor
from components.validation.plan import ValidationPlan
from models.recipe.errors import InputError


@pytest.fixture
def run(tmp_path):
    def run(statistics, schema, plan, baseline=None, **properties):
        output = standard_artifacts.ExampleAnomalies()
        output.uri = str(tmp_path / "anomalies")
        inputs = {"statistics": [statistics], "schema": [schema]}
        if baseline is not None:
            inputs["baseline_statistics"] = [baseline]
        try:
            given = {"plan": plan.model_dump_json(), "code": "1", **properties}
            Executor().Do(inputs, {"anomalies": [output]}, given)
        finally:
            run.output = output
        return output

    return run


def load(artifact, split):
    with open(os.path.join(artifact.uri, f"Split-{split}", "SchemaDiff.pb"), "rb") as file:
        return anomalies_pb2.Anomalies.FromString(file.read())


def test_as_the_stock_example_validator(tmp_path, run, make_statistics, make_schema, statistics, frame):
    schema = make_schema(tfdv.infer_schema(statistics(frame()), infer_feature_shape=False))
    now = make_statistics("now", {"train": frame(), "eval": frame(device=["watch"] * 1000)}, 12)
    ours = run(now, schema, ValidationPlan(curated=True, on_anomaly="warn"))
    theirs = standard_artifacts.ExampleAnomalies()
    theirs.uri = str(tmp_path / "stock")
    stock.Executor().Do({"statistics": [now], "schema": [schema]}, {"anomalies": [theirs]}, {})
    for split in ("train", "eval"):
        assert load(ours, split) == load(theirs, split)
        assert os.listdir(os.path.join(ours.uri, f"Split-{split}")) == ["SchemaDiff.pb"]
    assert ours.get_json_value_custom_property("blessed") == theirs.get_json_value_custom_property("blessed")
    assert ours.get_json_value_custom_property("blessed") == {"train": 1, "eval": 0}
    assert json.loads(ours.split_names) == json.loads(theirs.split_names) and ours.span == theirs.span == 3
    assert ours.get_int_custom_property("passed") == 1
    assert ours.get_int_custom_property("statistics_id") == 12
    assert ours.get_int_custom_property("rows") == 2000


def test_a_curated_schema_stops_the_run(run, make_statistics, make_schema, statistics, frame):
    schema = make_schema(tfdv.infer_schema(statistics(frame()), infer_feature_shape=False))
    now = make_statistics("now", {"train": frame(device=["watch"] * 1000), "eval": frame(device=["tv"] * 1000)}, 12)
    with pytest.raises(InputError) as error:
        run(now, schema, ValidationPlan(curated=True))
    assert "column 'device', split train" in str(error.value) and "watch" in str(error.value)
    assert "column 'device', split eval" in str(error.value) and "tv" in str(error.value)
    assert not run.output.has_custom_property("passed")
    assert load(run.output, "train").anomaly_info


def test_drift_stops_the_run_also_with_an_inferred_schema(run, make_statistics, make_schema, statistics, frame):
    now = make_statistics("now", {"train": frame(phones=0.2), "eval": frame(threes=0.9)}, 12)
    before = make_statistics("before", {"train": frame(), "eval": frame()}, 5)
    schema = make_schema(tfdv.infer_schema(statistics(frame()), infer_feature_shape=False))
    limits = {"device": 0.1, "item": 0.2}
    with pytest.raises(InputError) as error:
        run(now, schema, ValidationPlan(drift=limits), before)
    assert "column 'device', split train: drift since the last good run" in str(error.value)
    assert "column 'item', split eval: drift since the last good run" in str(error.value)
    assert run.output.get_json_value_custom_property("blessed") == {"train": 0, "eval": 0}

    output = run(now, schema, ValidationPlan(drift=limits, on_drift="warn"), before)
    assert output.get_int_custom_property("passed") == 1
    assert output.get_int_custom_property("baseline_statistics_id") == 5
    assert load(output, "train").drift_skew_info[0].drift_measurements[0].value == pytest.approx(0.3)

    output = run(now, schema, ValidationPlan(drift=limits))
    assert output.get_int_custom_property("passed") == 1


def test_drift_and_schema_in_one_file(run, make_statistics, make_schema, statistics, frame):
    schema = make_schema(tfdv.infer_schema(statistics(frame()), infer_feature_shape=False))
    now = make_statistics("now", {"train": frame(device=["watch"] * 1000), "eval": frame()}, 12)
    before = make_statistics("before", {"train": frame(), "eval": frame()}, 5)
    plan = ValidationPlan(curated=True, on_anomaly="warn", on_drift="warn", drift={"device": 0.1})
    info = load(run(now, schema, plan, before), "train").anomaly_info["device"]
    names = [anomalies_pb2.AnomalyInfo.Type.Name(reason.type) for reason in info.reason]
    assert names == ["ENUM_TYPE_UNEXPECTED_STRING_VALUES", "COMPARATOR_L_INFTY_HIGH"]
    assert "watch" in info.description and "Linfty" in info.description


def test_a_drift_limit_for_an_unknown_column_is_refused_on_the_first_run(
    run, make_statistics, make_schema, statistics, frame
):
    schema = make_schema(tfdv.infer_schema(statistics(frame()), infer_feature_shape=False))
    now = make_statistics("now", {"train": frame(), "eval": frame()}, 12)
    with pytest.raises(InputError, match="no column 'devise'; did you mean 'device'"):
        run(now, schema, ValidationPlan(drift={"devise": 0.1}))


def test_a_broken_schema_file(run, make_statistics, make_schema, statistics, frame):
    schema = make_schema(tfdv.infer_schema(statistics(frame()), infer_feature_shape=False))
    with open(os.path.join(schema.uri, "schema.pbtxt"), "a") as file:
        file.write("feature { nam")
    with pytest.raises(InputError, match=r"validation.schema: expected a TFDV schema as text proto"):
        run(make_statistics("now", {"train": frame(), "eval": frame()}, 12), schema, ValidationPlan(curated=True))


def test_statistics_are_kept_for_the_next_run_once_they_have_passed(
    tmp_path, run, make_statistics, make_schema, statistics, frame
):
    schema = make_schema(tfdv.infer_schema(statistics(frame()), infer_feature_shape=False))
    good = make_statistics("good", {"train": frame(), "eval": frame()}, 12)
    bad = make_statistics("bad", {"train": frame(device=["watch"] * 1000), "eval": frame()}, 13)
    kept = tmp_path / "kept"
    with pytest.raises(InputError):
        run(bad, schema, ValidationPlan(curated=True), keep=str(kept))
    assert newest(kept) is None
    run(good, schema, ValidationPlan(curated=True), keep=str(kept))
    folder, about = newest(kept)
    assert about == {"split_names": good.split_names, "span": 3}
    assert (folder / "Split-eval" / "FeatureStats.pb").is_file()
