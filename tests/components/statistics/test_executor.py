from __future__ import annotations

import os

import pytest
import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx.components.statistics_gen import executor as stock
from tfx.dsl.components.base import base_beam_executor
from tfx.types import standard_artifacts

from components.statistics.executor import Executor
from components.statistics.plan import StatisticsPlan
from models.errors import InputError

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


def test_as_stock_statistics_gen(tmp_path, make_examples):
    examples = make_examples({"train": 1000, "eval": 300})
    ours = run(tmp_path, examples, StatisticsPlan(integer_categories=("item",)))
    theirs = standard_artifacts.ExampleStatistics()
    theirs.uri = str(tmp_path / "stock")
    stock.Executor(context(tmp_path)).Do({"examples": [examples]}, {"statistics": [theirs]}, {"exclude_splits": "[]"})

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
            common, others = getattr(feature, kind).common_stats, getattr(other, kind).common_stats
            assert (common.num_non_missing, common.num_missing) == (others.num_non_missing, others.num_missing)
            assert (common.tot_num_values, common.max_num_values) == (others.tot_num_values, others.max_num_values)
            if kind == "num_stats":
                assert feature.num_stats.mean == pytest.approx(other.num_stats.mean, rel=1e-9)
                assert feature.num_stats.std_dev == pytest.approx(other.num_stats.std_dev, rel=1e-9)
                assert (feature.num_stats.min, feature.num_stats.max) == (other.num_stats.min, other.num_stats.max)
            else:
                assert feature.string_stats.unique == other.string_stats.unique
                assert feature.string_stats.rank_histogram == other.string_stats.rank_histogram
                assert list(feature.string_stats.top_values) == list(other.string_stats.top_values)
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


def test_a_split_without_examples(tmp_path, make_examples):
    with pytest.raises(InputError, match=r"split 'eval' has no examples.*look at the recipe's `split`"):
        run(tmp_path, make_examples({"train": 50, "eval": 0}))
