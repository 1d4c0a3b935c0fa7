from __future__ import annotations

import pytest
import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import schema_pb2

from components.validation.findings import schema_findings
from components.validation.schema_check import check_schema


@pytest.fixture
def schema(statistics, frame):
    made = tfdv.infer_schema(statistics(frame()), infer_feature_shape=False)
    item = tfdv.get_feature(made, "item").int_domain
    item.min, item.max = 3, 5
    price = tfdv.get_feature(made, "price")
    price.float_domain.min, price.float_domain.max = 0.0, 10.0
    return made


def words(anomalies, schema):
    return [str(finding) for finding in schema_findings(anomalies, schema, "eval")]


def test_clean(statistics, frame, schema):
    assert words(check_schema(statistics(frame()), schema), schema) == []


def test_every_departure_is_named_with_what_was_expected(statistics, frame, schema):
    now = frame(item=[2, 9] * 500, low=7.0, rows=1000)
    now["device"] = ["phone", "watch"] * 500
    now.loc[:99, "price"] = None
    assert words(check_schema(statistics(now), schema), schema) == [
        "column 'device', split eval: Examples contain values missing from the schema: watch (~50%). "
        "Expected one of: phone, tablet.",
        "column 'item', split eval: Unexpectedly small value: 2. Expected at least 3.",
        "column 'item', split eval: Unexpectedly large value: 9. Expected at most 5.",
        "column 'price', split eval: The feature was present in fewer examples than expected: minimum fraction = 1.000000, "
        "actual = 0.900000.",
        "column 'price', split eval: Unexpectedly high value: 17>10(upto six significant digits).",
    ]


def test_missing_and_new_columns(statistics, frame, schema):
    now = frame(colour=["red"] * 1000).drop(columns=["device"])
    assert words(check_schema(statistics(now), schema), schema) == [
        "column 'colour', split eval: New column (column in data but not in schema). Add it to the schema, or remove it "
        "from the recipe.",
        "column 'device', split eval: Column is completely missing. Expected values in at least 100.0% of the examples.",
    ]


def test_another_type(statistics, frame, schema):
    [message] = words(check_schema(statistics(frame(device=[1.5] * 1000)), schema), schema)
    assert "Expected data of type: BYTES but got FLOAT" in message


def test_labels_and_weights_need_no_description(statistics, frame, schema):
    for index, feature in enumerate(schema.feature):
        if feature.name == "label/click":
            del schema.feature[index]
            break
    before = schema.SerializeToString()
    assert words(check_schema(statistics(frame(**{"weight/click": [1.0] * 1000})), schema), schema) == []
    assert schema.SerializeToString() == before


def test_a_described_label_is_checked(statistics, frame, schema):
    tfdv.get_feature(schema, "label/click").float_domain.max = 0.5
    [message] = words(check_schema(statistics(frame()), schema), schema)
    assert "label/click" in message and "1>0.5" in message


def test_departures_of_the_whole_data_set(statistics, frame, schema):
    schema.dataset_constraints.min_examples_count = 2000
    [message] = words(check_schema(statistics(frame()), schema), schema)
    assert message.startswith("all columns, split eval: ") and "2000" in message


def test_long_domains_are_cut(statistics, frame):
    schema = schema_pb2.Schema()
    feature = schema.feature.add(name="device", type=schema_pb2.BYTES)
    feature.string_domain.value.extend(f"v{number:02d}" for number in range(25))
    anomalies = check_schema(statistics(frame()[["device"]]), schema)
    [message] = words(anomalies, schema)
    assert message.endswith("v18, v19, and 5 more.")
