"""The first pass: merging in Beam, and what it writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pytest
import tensorflow_transform as tft
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.testing.util import assert_that

from components.beam.merging import MergeInOrder
from components.columnar.frequent import count_frequent
from components.features.analysers import analyse, conclude, merge_parts
from components.features.analysis_pass import AnalysisPass, gather, merge_analyses, write
from models.features.layout import FeatureLayout
from models.recipe.errors import InputError


def one_row_at_a_time(table: Any, plan: Any) -> list[Any]:
    return [
        analyse(table.slice(row, 1).combine_chunks().to_batches()[0], plan.features) for row in range(table.num_rows)
    ]


@pytest.mark.parametrize("repeat", [1, 5])
def test_merging_one_by_one_equals_all_at_once(
    make_table: Any, make_plan: Any, features: Any, columns: Any, repeat: int
) -> None:
    plan = make_plan(features)
    table = make_table(columns, plan.tasks)
    whole = conclude(analyse(table.to_batches()[0], plan.features), plan.features)
    rows = one_row_at_a_time(table, plan) * repeat
    merged = merge_analyses([merge_analyses(rows[::2]), merge_analyses(rows[1::2])])
    assert merged["rows"] == repeat * table.num_rows
    analysed, vocabularies = conclude(merged, plan.features)
    if repeat == 1:
        assert analysed == whole[0]
    assert vocabularies["item"].equals(whole[1]["item"])


def test_what_comes_together_is_merged_in_time() -> None:
    def some(start: int, size: int) -> dict[str, list[Any]]:
        return {"vocabulary/x": [count_frequent(pa.array(range(start, start + size), pa.int64()), 10)], "rows": [size]}

    gathered: dict[str, list[Any]] = {}
    pieces = []
    for number in range(64):
        gathered = gather(gathered, some(100 * number, 100))
        pieces.append(len(gathered["vocabulary/x"]))
    # Merged when the 16th came, when as much had come again, and when as much as those together had.
    assert [number for number, waiting in enumerate(pieces, 1) if waiting == 1] == [1, 16, 32, 64]
    together = merge_parts(gathered["vocabulary/x"])
    assert sorted(together.counts.values.to_pylist()) == list(range(6400))
    assert merge_parts(gathered["rows"]) == 6400


def test_in_beam(make_table: Any, make_plan: Any, features: Any, columns: Any) -> None:
    plan = make_plan(features)
    table = make_table(columns, plan.tasks)
    whole = conclude(analyse(table.to_batches()[0], plan.features), plan.features)

    def check(found: list[Any]) -> None:
        analysed, vocabularies = conclude(found[0], plan.features)
        assert len(found) == 1
        assert analysed == whole[0]
        assert vocabularies["device"].equals(whole[1]["device"])

    with beam.Pipeline(options=PipelineOptions(["--runner=FnApiRunner"])) as pipeline:
        parts = [("train", numbered) for numbered in enumerate(one_row_at_a_time(table, plan))]
        merged = pipeline | beam.Create(parts) | MergeInOrder(merge_analyses) | beam.Values()
        assert_that(merged, check)


def test_writes_a_transform_graph_with_its_encoding(
    tmp_path: Path, make_table: Any, make_plan: Any, features: Any, columns: Any, write_split: Any
) -> None:
    plan = make_plan(features)
    paths = write_split(tmp_path, "train", make_table(columns, plan.tasks), 3)
    folder = tmp_path / "graph"
    with beam.Pipeline(options=PipelineOptions(["--runner=FnApiRunner"])) as pipeline:
        _ = pipeline | AnalysisPass([(str(path), 0) for path in paths], plan, str(folder))
    layout = FeatureLayout.load(folder)
    assert layout.tables == {
        "device": (1 + 3 + 3, 4),
        "item": (1 + 2 + 7, 4),
        "age": (1 + 3, 4),
        "share_value": (1 + 1 + 3, 4),
        "share_often": (1 + 2 + 1, 4),
        "device_item": (1 + 50, 4),
    }
    names = ("device", "item", "age", "share_value", "share_often", "device_item")
    assert layout.categorical == tuple(zip(names, names, strict=True))
    assert layout.multivalued == {"seen": ("item", "sum", 2)}
    output = tft.TFTransformOutput(str(folder))
    assert output.vocabulary_by_name("device") == [b"phone", b"tv", b"caf\xc3\xa9"]
    assert output.vocabulary_by_name("item") == [b"7", b"-5", b"1", b"2", b"3", b"4", str(2**62).encode()]
    # The value, and its bits as the graph's key.
    assert output.vocabulary_by_name("share_value") == [b"0.5\t1056964608", b"0.25\t1048576000", b"0.75\t1061158912"]
    # Beam may run a step again: the second time finds the first's files.
    before = (folder / "layout.json").read_text()
    write(analyse(make_table(columns, plan.tasks).to_batches()[0], plan.features), plan.model_dump_json(), str(folder))
    assert (folder / "layout.json").read_text() == before
    assert json.loads((folder / "transformed_metadata" / "asset_map").read_text()) == {
        "device": "device.txt",
        "item": "item.txt",
        "share_value": "share_value.txt",
        "share_often": "share_often.txt",
    }


def test_the_message_of_an_input_error_comes_through_beam(
    tmp_path: Path, make_table: Any, make_plan: Any, write_split: Any
) -> None:
    plan = make_plan({"price": {"kind": "numeric", "column": "cost"}})
    paths = write_split(tmp_path, "train", make_table({"cost": ("float", [None, None])}, plan.tasks), 1)
    with (
        pytest.raises(
            InputError, match="Feature 'price': the column 'cost' has no value in any of the 2 train examples"
        ),
        beam.Pipeline(options=PipelineOptions(["--runner=FnApiRunner"])) as pipeline,
    ):
        _ = pipeline | AnalysisPass([(str(paths[0]), 0)], plan, str(tmp_path / "graph"))
