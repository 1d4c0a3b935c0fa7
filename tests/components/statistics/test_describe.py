from __future__ import annotations

import os

import apache_beam as beam
import pyarrow.parquet as pq
import pytest
import tensorflow_data_validation as tfdv

from components.statistics.describe import Describe, SplitPlan, merge_summaries, summarise_share
from components.statistics.protos import dataset
from components.statistics.reading import files_of


@pytest.fixture
def files(make_examples):
    folder = os.path.join(make_examples({"train": 500}).uri, "Split-train")
    return files_of("train", [os.path.join(folder, name) for name in os.listdir(folder)])


def written(files, summaries):
    return dataset(files.rows, {name: summaries[name] for name in files.columns}).SerializeToString(deterministic=True)


def test_shares_together_are_as_all_at_once_in_any_order(files):
    whole = written(files, summarise_share(files.pieces, {"item"}))
    one, *others = [summarise_share([piece], {"item"}) for piece in files.pieces]
    assert written(files, merge_summaries([{}, *others[::-1], one])) == whole
    assert written(files, merge_summaries([merge_summaries(others[2:]), merge_summaries([one, *others[:2]])])) == whole


@pytest.mark.parametrize("share_rows", [1, 10**9])
def test_one_leaf_writes_both_files_of_a_split(files, tmp_path, share_rows):
    plan = SplitPlan(
        files=files, output=str(tmp_path / "all.pb"), ids=("item",), categories=str(tmp_path / "categories.pb")
    )
    with beam.Pipeline("FnApiRunner") as pipeline:
        _ = pipeline | Describe({"train": plan}, share_rows)
    assert (tmp_path / "all.pb").read_bytes() == written(files, summarise_share(files.pieces, ()))
    [feature] = tfdv.load_stats_binary(plan.categories).datasets[0].features
    assert feature.path.step == ["item"] and feature.string_stats.unique == 3


def test_a_column_that_some_files_lack_is_missing_there(files, tmp_path):
    path = str(tmp_path / "more.parquet")
    pq.write_table(pq.read_table(files.pieces[0][0]).select(["item"]), path)
    together = files_of("train", [*dict.fromkeys(piece[0] for piece in files.pieces), path])
    found = dataset(together.rows, summarise_share(together.pieces, ())).datasets[0]
    common = {feature.path.step[0]: feature for feature in found.features}["price"].num_stats.common_stats
    assert (found.num_examples, common.num_non_missing, common.num_missing) == (750, 500, 250)
