from __future__ import annotations

import json
import os

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx.components.statistics_gen import executor as stock
from tfx.dsl.components.base import base_beam_executor
from tfx.types import standard_artifacts

from components.statistics import frequencies
from components.statistics.executor import Executor
from components.statistics.plan import StatisticsPlan
from models.recipe.errors import InputError

BEAM = ["--runner=FnApiRunner", "--sdk_container_image=none"]


def context(tmp_path):
    return base_beam_executor.BaseBeamExecutor.Context(
        beam_pipeline_args=list(BEAM), tmp_dir=str(tmp_path), unique_id="1"
    )


def run(tmp_path, examples, plan=None):
    plan = plan or StatisticsPlan()
    output = standard_artifacts.ExampleStatistics()
    output.uri = str(tmp_path / "statistics")
    Executor(context(tmp_path)).Do(
        {"examples": [examples]}, {"statistics": [output]}, {"plan": plan.model_dump_json(), "code": "1"}
    )
    return output


def features(path):
    [dataset] = tfdv.load_stats_binary(path).datasets
    return dataset.num_examples, {feature.path.step[0]: feature for feature in dataset.features}


def run_stock(tmp_path, examples):
    output = standard_artifacts.ExampleStatistics()
    output.uri = str(tmp_path / "stock")
    stock.Executor(context(tmp_path)).Do({"examples": [examples]}, {"statistics": [output]}, {"exclude_splits": "[]"})
    return output


def test_as_stock_statistics_gen(tmp_path, make_examples):
    examples = make_examples({"train": 1000, "eval": 300})
    ours = run(tmp_path, examples, StatisticsPlan(integer_categories=("item",)))
    theirs = run_stock(tmp_path, examples)
    assert ours.split_names == theirs.split_names
    assert ours.span == theirs.span == 7
    assert ours.get_int_custom_property("rows") == 1300
    for split, rows in (("train", 1000), ("eval", 300)):
        count, mine = features(os.path.join(ours.uri, f"Split-{split}", "FeatureStats.pb"))
        stock_count, stocks = features(os.path.join(theirs.uri, f"Split-{split}", "FeatureStats.pb"))
        assert count == stock_count == rows
        # the stock executor also describes the bookkeeping columns
        assert set(mine) == set(stocks) - {"gatewise/example_id", "gatewise/event_time"}
        for name, feature in mine.items():
            other = stocks[name]
            assert feature.type == other.type
            kind = feature.WhichOneof("stats")
            assert kind == other.WhichOneof("stats")
            assert getattr(feature, kind).common_stats == getattr(other, kind).common_stats
            if kind == "num_stats":
                assert feature.num_stats.mean == pytest.approx(other.num_stats.mean, rel=1e-9)
                assert feature.num_stats.std_dev == pytest.approx(other.num_stats.std_dev, rel=1e-9)
                assert (feature.num_stats.min, feature.num_stats.max) == (other.num_stats.min, other.num_stats.max)
            else:
                assert feature == other
    assert mine["item"].WhichOneof("stats") == "num_stats"
    assert mine["device"].string_stats.common_stats.num_missing > 0


def test_values_of_integer_categories_are_counted(tmp_path, make_examples):
    plan = StatisticsPlan(integer_categories=("absent", "item"))
    output = run(tmp_path, make_examples({"train": 500, "eval": 100}), plan)
    _, found = features(os.path.join(output.uri, "Split-train", "IntegerCategories.pb"))
    assert set(found) == {"item"}
    buckets = found["item"].string_stats.rank_histogram.buckets
    assert [bucket.label for bucket in buckets] == ["3", "5", "8"]
    assert sum(bucket.sample_count for bucket in buckets) == 500


def test_columns_that_are_not_counted_exactly_are_named_on_the_artifact(tmp_path, make_examples, monkeypatch):
    examples = make_examples({"train": 500, "eval": 100})
    plan = StatisticsPlan(integer_categories=("item",))
    assert run(tmp_path, examples, plan).get_string_custom_property("approximate") == ""
    monkeypatch.setattr(frequencies.merge_frequencies, "__defaults__", (2, 2**26))
    found = json.loads(run(tmp_path, examples, plan).get_string_custom_property("approximate"))
    assert set(found["train"]) == {"device", "tags", "item"}
    assert all(set(notes) == {"gatewise/undercount"} for notes in found["train"].values())


def test_no_leftovers_and_no_categories_without_integers(tmp_path, make_examples):
    output = run(tmp_path, make_examples({"train": 50, "eval": 20}))
    assert os.listdir(os.path.join(output.uri, "Split-train")) == ["FeatureStats.pb"]


def test_stock_schema_gen_reads_it(tmp_path, make_examples):
    output = run(tmp_path, make_examples({"train": 500, "eval": 100}), StatisticsPlan(integer_categories=("item",)))
    path = os.path.join(output.uri, "Split-train", "FeatureStats.pb")
    schema = tfdv.infer_schema(tfdv.load_stats_binary(path), infer_feature_shape=False)
    types = {feature.name: feature.type for feature in schema.feature}
    assert types["item"] == schema_pb2.INT and types["device"] == schema_pb2.BYTES
    assert types["label/click"] == schema_pb2.FLOAT


def test_the_same_schema_anomalies_and_drift_follow_as_from_the_stock_statistics(tmp_path, make_examples):
    """A constant and a new value, and shares and a mean that moved."""
    examples = make_examples({"train": 1000, "eval": 300})
    _change_eval(examples)
    outputs = run(tmp_path, examples), run_stock(tmp_path, examples)
    schemas, anomalies, drifted = [], [], []
    for output in outputs:
        train, other = (
            tfdv.load_stats_binary(os.path.join(output.uri, f"Split-{split}", "FeatureStats.pb"))
            for split in ("train", "eval")
        )
        schema = tfdv.infer_schema(train, infer_feature_shape=True)
        # the stock executor also describes the bookkeeping columns
        kept = [feature for feature in schema.feature if not feature.name.startswith("gatewise/")]
        del schema.feature[:]
        schema.feature.extend(kept)
        schemas.append(schema)
        found = tfdv.validate_statistics(other, schema).anomaly_info
        anomalies.append({name: found[name] for name in found if not name.startswith("gatewise/")})
        tfdv.get_feature(schema, "device").drift_comparator.infinity_norm.threshold = 0.05
        tfdv.get_feature(schema, "price").drift_comparator.jensen_shannon_divergence.threshold = 0.05
        drift = tfdv.validate_statistics(other, schema, previous_statistics=train).drift_skew_info
        drifted.append({info.path.step[0]: info.drift_measurements[0].value for info in drift})
    assert schemas[0] == schemas[1]
    assert anomalies[0] == anomalies[1] and set(anomalies[0]) == {"device"}
    assert drifted[0] == pytest.approx(drifted[1], abs=0.01) and set(drifted[0]) == {"device", "price"}
    assert min(drifted[0].values()) > 0.05


def _change_eval(examples):
    folder = os.path.join(examples.uri, "Split-eval")
    for name in os.listdir(folder):
        table = pq.read_table(os.path.join(folder, name))
        device = pa.array([[b"watch"]] * len(table), table.schema.field("device").type)
        price = pa.array([[value[0] + 3.0] for value in table["price"].to_pylist()], table.schema.field("price").type)
        table = table.set_column(table.schema.get_field_index("device"), "device", device)
        pq.write_table(
            table.set_column(table.schema.get_field_index("price"), "price", price), os.path.join(folder, name)
        )


def test_a_split_without_examples(tmp_path, make_examples):
    with pytest.raises(InputError, match=r"split 'eval' has no examples.*check the recipe's `split`"):
        run(tmp_path, make_examples({"train": 50, "eval": 0}))
