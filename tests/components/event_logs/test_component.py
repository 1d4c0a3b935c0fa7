"""The stage as TFX runs it, and its examples read by the stock parts."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest
import tensorflow_data_validation as tfdv
from tfx.components.statistics_gen import executor as statistics_gen
from tfx.components.util import tfxio_utils
from tfx.dsl.components.base import base_beam_executor
from tfx.types import artifact_utils, standard_artifacts

from components.event_logs.component import EventLogs
from components.event_logs.executor import Executor
from components.event_logs.plan import EventLogsPlan
from models.recipe.errors import InputError
from models.recipe.recipe import Recipe

FEATURES = {
    "user": {"kind": "categorical"},
    "item": {"kind": "numeric"},
    "time": {"kind": "categorical", "type": "integer"},
}


@pytest.fixture
def executed(
    shop_recipe: Callable[..., Recipe], shop_log: Callable[..., None], tmp_path: Path
) -> standard_artifacts.Examples:
    shop_log("csv")
    component = EventLogs(
        EventLogsPlan.from_recipe(shop_recipe(features=FEATURES)).model_dump_json(), fingerprint="", code="1"
    )
    examples = standard_artifacts.Examples()
    examples.uri = str(tmp_path / "artifact")
    properties = {name: component.exec_properties[name] for name in ("plan", "fingerprint", "code")}
    executor(Executor).Do({}, {"examples": [examples]}, properties)
    return examples


def executor(kind: type) -> base_beam_executor.BaseBeamExecutor:
    context = kind.Context(beam_pipeline_args=["--runner=FnApiRunner", "--sdk_container_image=x"])
    return kind(context)


def test_the_component(shop_recipe: Callable[..., Recipe]) -> None:
    plan = EventLogsPlan.from_recipe(shop_recipe())
    component = EventLogs(plan.model_dump_json(), fingerprint="abc", code="1")
    assert component.outputs["examples"].type is standard_artifacts.Examples
    assert component.exec_properties["fingerprint"] == "abc" and component.exec_properties["code"] == "1"
    assert EventLogsPlan.model_validate_json(component.exec_properties["plan"]) == plan


def test_the_artifact(executed: standard_artifacts.Examples) -> None:
    assert json.loads(executed.split_names) == ["train", "validate", "eval"]
    assert executed.get_int_custom_property("rows") == 15
    assert executed.get_string_custom_property("payload_format") == "FORMAT_PARQUET"
    folder = Path(executed.uri)
    assert sorted(path.name for path in folder.iterdir()) == [
        "Split-eval",
        "Split-train",
        "Split-validate",
        "accounts.json",
        "days.json",
        "dead_letters",
        "files.json",
        "summary.json",
    ]
    for path in folder.glob("Split-*/*"):
        types = {field.name: str(field.type) for field in pq.read_schema(path)}
        assert {name: type.split(": ")[1].rstrip(">") for name, type in types.items()} == {
            "user": "large_binary",
            "item": "float",
            "time": "int64",
            "label/click": "float",
            "weight/click": "float",
            "gatewise/example_id": "int64",
            "gatewise/event_time": "int64",
        }
        assert all(type.startswith("large_list<") for type in types.values())


def test_the_stock_resolver_of_rolling_ranges_finds_the_nights(
    shop_recipe: Callable[..., Recipe], write_log: Callable[..., Path], tmp_path: Path
) -> None:
    """`rolling_range` is `LatestSpan` and a check of the number of spans."""
    from tfx.dsl.input_resolution.ops.latest_span_op import LatestSpan

    start = 1_767_225_600  # 2026-01-01
    for day in range(4):
        seen = [{"user": user, "item": 1, "time": start + day * 86_400 + 60 * user} for user in range(9)]
        write_log(f"impression-2026010{day + 1}.csv", seen)
        write_log(f"click-2026010{day + 1}.csv", [{**row, "time": row["time"] + 5} for row in seen[::2]])
    streams = {name: {"path": f"{name}-{{YYYY}}{{MM}}{{DD}}.csv"} for name in ("impression", "click")}
    shared = {"key": ["user", "item"], "time": {"column": "time", "unit": "s"}}
    found = []
    for day in ("2026-01-03", "2026-01-04", "2026-01-03"):
        logs = {"span": "1d", "day": day, "streams": {name: shared | one for name, one in streams.items()}}
        recipe = shop_recipe(
            streams=streams,
            logs=logs,
            split={"train_last": "1d", "eval_last": "1d"},
            tasks={"click": {"kind": "binary", "outcome": "click", "window": "1h"}},
        )
        plan = EventLogsPlan.from_recipe(recipe)
        examples = standard_artifacts.Examples()
        examples.uri, examples.id = str(tmp_path / f"night-{len(found)}"), len(found) + 1
        properties = {"plan": plan.model_dump_json(), "fingerprint": "", "code": ""}
        executor(Executor).Do({}, {"examples": [examples]}, properties)
        found.append(examples)
    first, second, again = found
    assert (first.span, second.span) == (20_456, 20_457)  # days since 1970 UTC
    first.version -= 1  # the runs of a test are in one second
    assert LatestSpan.create(n=2).apply(found) == [again, second]
    assert LatestSpan.create(n=1).apply(found) == [second]


def test_the_accounts_are_in_the_log(
    shop_recipe: Callable[..., Recipe], shop_log: Callable[..., None], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shop_log("csv")
    examples = standard_artifacts.Examples()
    examples.uri = str(tmp_path / "artifact")
    plan = EventLogsPlan.from_recipe(shop_recipe()).model_dump_json()
    with caplog.at_level(logging.INFO, logger="components"):
        executor(Executor).Do({}, {"examples": [examples]}, {"plan": plan, "fingerprint": "", "code": ""})
    text = next(record.getMessage() for record in caplog.records if "Row accounting" in record.getMessage())
    said = "split: no validate key; the newest 10% of the examples before the eval split validate"
    assert [record.getMessage() for record in caplog.records].count(said) == 1
    assert [line.split() for line in text.splitlines()[2:]] == [
        ["impression", "10", "10", "0", "0", "0", "0", "0", "0", "0"],
        ["click", "5", "5", "0", "0", "0", "0", "0", "0", "0"],
    ]


def test_the_stock_statistics_read_the_examples(executed: standard_artifacts.Examples, tmp_path: Path) -> None:
    statistics = standard_artifacts.ExampleStatistics()
    statistics.uri = str(tmp_path / "statistics")
    executor(statistics_gen.Executor).Do(
        {"examples": [executed]}, {"statistics": [statistics]}, {"exclude_splits": "[]", "stats_options_json": None}
    )
    for split in artifact_utils.decode_split_names(executed.split_names):
        proto = tfdv.load_stats_binary(str(Path(statistics.uri) / f"Split-{split}" / "FeatureStats.pb")).datasets[0]
        assert proto.num_examples == {"train": 4, "validate": 1, "eval": 5}[split]
        features = {feature.path.step[0]: feature for feature in proto.features}
        assert features["user"].type == features["user"].STRING
        assert features["label/click"].num_stats.mean == pytest.approx(
            {"train": 0.5, "validate": 1.0, "eval": 0.2}[split]
        )
        assert features["gatewise/example_id"].num_stats.min >= 0


def test_tfxio_reads_the_examples(executed: standard_artifacts.Examples) -> None:
    factory = tfxio_utils.get_tfxio_factory_from_artifact([executed], telemetry_descriptors=["test"])
    tfxio = factory(str(Path(executed.uri) / "Split-train" / "*"))
    assert {"user", "label/click", "gatewise/example_id"} <= set(tfxio.ArrowSchema().names)


def test_malformed_rows_outlive_the_refusal(
    shop_recipe: Callable[..., Recipe], shop_log: Callable[..., None], tmp_path: Path
) -> None:
    shop_log("csv")
    with open(tmp_path / "click.csv", "a") as file:
        file.write("1,1,never\n")
    examples = standard_artifacts.Examples()
    examples.uri = str(tmp_path / "EventLogs" / "examples" / "7")
    plan = EventLogsPlan.from_recipe(shop_recipe()).model_dump_json()
    kept = tmp_path / "EventLogs" / "refused" / "7" / "dead_letters"
    with pytest.raises(InputError, match=rf"1 of 6 rows .* run: gatewise dead-letters {kept}"):
        executor(Executor).Do({}, {"examples": [examples]}, {"plan": plan, "fingerprint": "", "code": ""})
    assert pl.read_parquet(kept)["raw"].to_list() == ['{"user":"1","item":"1","time":"never"}']
