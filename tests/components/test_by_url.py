"""Every data stage at URLs of an object store gives what it gives in folders, byte by byte."""

from __future__ import annotations

import gzip
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import apache_beam as beam
import numpy as np
import polars as pl
import pytest
import s3_server
import tensorflow as tf
import tensorflow_data_validation as tfdv
from google.protobuf import text_format
from tfx.types import standard_artifacts

from components.evaluation import executor as evaluation
from components.evaluation.plan import EvaluationPlan
from components.event_logs import executor as event_logs
from components.event_logs import pipeline, writing
from components.event_logs.fingerprint import fingerprint
from components.event_logs.plan import EventLogsPlan
from components.features import executor as features
from components.features.plan import FeaturesPlan
from components.statistics import executor as statistics
from components.statistics.plan import StatisticsPlan
from components.storage import stores
from components.storage.reading import LocalCopy
from components.validation import curated_schema
from components.validation import executor as validation
from components.validation.plan import ValidationPlan
from models.recipe.errors import InputError
from models.recipe.recipe import Recipe

START, DAY = 1_700_000_000, 86_400
BEAM = ["--runner=FnApiRunner", "--sdk_container_image=none"]
FEATURES = {
    "user": {"kind": "categorical", "min_count": 1},
    "item": {"kind": "categorical", "type": "integer", "vocabulary": None, "hash_buckets": 50},
    "tags": {"kind": "multivalued", "separator": "|", "max_length": 2},
    "price": {"kind": "numeric"},
}


def write_logs(folder: Path) -> None:
    """Impressions in Parquet in folders of days, clicks in packed CSV, carts in JSON lines; each with some dirt."""
    generator = np.random.default_rng(2)
    rows = 3_000
    times = START + np.sort(generator.integers(0, 20 * DAY, rows))
    users = [f"u{number}" for number in generator.integers(0, 200, rows)]
    seen = pl.DataFrame(
        {
            "id": [f"i{row}" for row in range(rows)],
            "user": users,
            "item": generator.integers(0, 40, rows),
            "time": times,
            "price": generator.random(rows).round(3),
            "tags": ["|".join(generator.choice(["x", "y", "z"], number)) for number in generator.integers(0, 4, rows)],
        }
    )
    for day, part in seen.with_columns(day=(pl.col("time") - START) // (5 * DAY)).group_by("day", maintain_order=True):
        path = folder / "seen" / f"day={day[0]}" / "part [1].parquet"
        path.parent.mkdir(parents=True)
        part.drop("day").write_parquet(path, row_group_size=200)
    clicked = seen.filter(pl.Series(generator.random(rows) < 0.4)).select("user", "item", pl.col("time") + 30)
    text = clicked.write_csv() + "u1,2,yesterday\nu1,2\n" + "nobody,1,1700000500\n" * 3
    (folder / "clicks.csv.gz").write_bytes(gzip.compress(text.encode(), mtime=0))
    carts = clicked.sample(300, seed=1).with_columns(pl.col("time") + 60)
    (folder / "carts.jsonl").write_text(carts.write_ndjson() + "no JSON\n[1]\n")
    truth = seen.select("id", p=pl.col("price") / 2 + 0.1)
    truth.write_csv(folder / "truth.csv")


def recipe_at(data: str) -> Recipe:
    stream = {"key": ["user", "item"], "time": {"column": "time", "unit": "s"}}
    return Recipe.model_validate(
        {
            "name": "shop",
            "data": data,
            "logs": {
                "impressions": "seen",
                "streams": {
                    "seen": {**stream, "path": "seen/**/*.parquet", "event_id": "id"},
                    "click": {**stream, "path": "clicks.*"},
                    "cart": {**stream, "path": "[a-d]arts.jsonl"},
                },
            },
            "split": {"eval_last": "5d"},
            "features": FEATURES,
            "tasks": {
                "click": {"kind": "binary", "outcome": "click", "window": "1h", "gates": "none"},
                "cart": {
                    "kind": "binary",
                    "outcome": "cart",
                    "window": "1h",
                    "conditioned_on": "click",
                    "gates": "none",
                },
            },
            "evaluation": {
                "slices": [["user"]],
                "truth": {"path": "truth.csv", "event_id": "id", "columns": {"click": "p"}},
            },
            "beam": {"partitions": 3},
        }
    )


def artifact(kind: Any, uri: str, number: int = 1) -> Any:
    made = kind()
    made.uri, made.id = uri, number
    return made


def write_model(folder: Path) -> None:
    """A model of the packed columns in the exporter's layout; it also serves tf.Examples, for which it needs none of them."""
    module = tf.Module()
    signature = {
        "categorical": tf.TensorSpec((None, 2), tf.int32, name="categorical"),
        "numeric": tf.TensorSpec((None, 2), tf.float32, name="numeric"),
        "multivalued_tags": tf.TensorSpec((None, 2), tf.int32, name="multivalued_tags"),
    }

    @tf.function(input_signature=[signature])
    def transformed(columns: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        score = columns["numeric"][:, 0] + 0.01 * tf.cast(columns["categorical"][:, 0], tf.float32)
        return {"click": tf.sigmoid(score), "cart": tf.sigmoid(-score)}

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.string, name="examples")])
    def serve(examples: tf.Tensor) -> dict[str, tf.Tensor]:
        price = tf.io.parse_example(examples, {"price": tf.io.FixedLenFeature((), tf.float32, default_value=0.0)})[
            "price"
        ]
        return {"click": tf.sigmoid(price), "cart": tf.sigmoid(-price)}

    module.transformed, module.serve = transformed, serve
    directory = folder / "Format-Serving"
    signatures = {"transformed": transformed, "serving_default": serve}
    tf.saved_model.save(module, str(directory), signatures=signatures)
    (directory / "assets.extra").mkdir()
    notes = {"inputs": {"price": {"type": "float", "multivalued": False}}, "tasks": {}, "exported_at": 1}
    (directory / "assets.extra" / "inputs.json").write_text(json.dumps(notes))


def run_stages(recipe: Recipe, root: str, given: str, scratch: Path) -> None:
    """All data stages into `root`; the model and the schema lie in `given`."""

    def run(stage: Any, inputs: dict[str, Any], outputs: dict[str, Any], plan: Any, **properties: Any) -> None:
        kind = stage.Executor
        context = (
            kind.Context(beam_pipeline_args=BEAM, tmp_dir=str(scratch), unique_id="1") if stage in ON_BEAM else None
        )
        kind(context).Do(
            {name: [one] for name, one in inputs.items()},
            {name: [one] for name, one in outputs.items()},
            {"plan": plan.from_recipe(recipe).model_dump_json(), "code": "1", "fingerprint": "", **properties},
        )

    kinds = standard_artifacts
    examples = artifact(kinds.Examples, f"{root}/examples")
    run(event_logs, {}, {"examples": examples}, EventLogsPlan)
    described = artifact(kinds.ExampleStatistics, f"{root}/statistics")
    run(statistics, {"examples": examples}, {"statistics": described}, StatisticsPlan)
    with LocalCopy(f"{described.uri}/Split-train/FeatureStats.pb") as path:
        inferred = text_format.MessageToString(tfdv.infer_schema(tfdv.load_stats_binary(path)))
    schema = artifact(kinds.Schema, f"{root}/schema")
    curated_schema.Executor().Do({}, {"schema": [schema]}, {"content": inferred})
    run(
        validation,
        {"statistics": described, "schema": schema, "baseline_statistics": described},
        {"anomalies": artifact(kinds.ExampleAnomalies, f"{root}/anomalies")},
        ValidationPlan,
        keep=str(scratch / "kept"),
    )
    graph = artifact(kinds.TransformGraph, f"{root}/graph")
    transformed = artifact(kinds.Examples, f"{root}/transformed")
    run(
        features,
        {"examples": examples},
        {"transform_graph": graph, "transformed_examples": transformed},
        FeaturesPlan,
    )
    run(
        evaluation,
        {
            "examples": examples,
            "transformed_examples": transformed,
            "model": artifact(kinds.Model, f"{given}/model", 7),
            "baseline_model": artifact(kinds.Model, f"{given}/model", 6),
        },
        {
            "evaluation": artifact(kinds.ModelEvaluation, f"{root}/evaluation"),
            "blessing": artifact(kinds.ModelBlessing, f"{root}/blessing"),
        },
        EvaluationPlan,
    )


ON_BEAM = (event_logs, statistics, features)


@pytest.fixture(scope="module")
def sides(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    """The same stages on the same logs, once in folders and once on an S3 server, whose files are fetched into `url`."""
    folder = tmp_path_factory.mktemp("sides")
    write_logs(folder / "logs")
    write_model(folder / "given" / "model")
    stores._file_system.cache_clear()
    with s3_server.running("shop") as client:
        for path in [*(folder / "logs").rglob("*"), *(folder / "given").rglob("*")]:
            if path.is_file():
                client.upload_file(str(path), "shop", path.relative_to(folder).as_posix())
        for name, root in (("local", str(folder)), ("url", "s3://shop")):
            scratch = folder / f"scratch-{name}"
            scratch.mkdir()
            run_stages(recipe_at(f"{root}/logs"), f"{root}/out", f"{root}/given", scratch)
        with LocalCopy("s3://shop/out") as copy:
            yield SimpleNamespace(folder=folder, local=folder / "out", url=Path(copy), client=client)
    stores._file_system.cache_clear()


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("stage", "some"),
    [
        ("examples", ["Split-train/examples-00000-of-00003.parquet", "accounts.json", "summary.json"]),
        ("statistics", ["Split-train/FeatureStats.pb", "Split-eval/IntegerCategories.pb"]),
        ("schema", ["schema.pbtxt"]),
        ("anomalies", ["Split-train/SchemaDiff.pb", "Split-eval/SchemaDiff.pb"]),
        ("transformed", ["Split-train/examples-00000-of-00003.arrow"]),
        ("blessing", ["BLESSED"]),
    ],
)
def test_the_same_files(sides: SimpleNamespace, stage: str, some: list[str]) -> None:
    here, there = files(sides.local / stage), files(sides.url / stage)
    assert set(some) <= set(here)
    assert sorted(there) == sorted(here)
    # At a URL the time of the last change stands for the content of a log file.
    assert [name for name in here if here[name] != there[name] and name != "files.json"] == []


def test_the_rows_of_the_log_files_are_the_same(sides: SimpleNamespace) -> None:
    here, there = (json.loads((side / "examples" / "files.json").read_text()) for side in (sides.local, sides.url))
    assert here.keys() == there.keys()
    for name, found in here.items():
        assert (found["bytes"], found["read"]) == (there[name]["bytes"], there[name]["read"])
        assert there[name]["fingerprint"].startswith("@")


def test_dead_letters_name_the_files_in_the_same_words(sides: SimpleNamespace) -> None:
    dead = pl.read_parquet(sides.url / "examples" / "dead_letters" / "*.parquet")
    assert sorted(dead["file"].to_list()) == ["carts.jsonl", "carts.jsonl", "clicks.csv.gz", "clicks.csv.gz"]


def test_the_same_graph(sides: SimpleNamespace) -> None:
    """TensorFlow's own files differ from one writing to the next; the vocabularies, and all that is ours, do not."""
    here, there = files(sides.local / "graph"), files(sides.url / "graph")
    assert sorted(there) == sorted(here)
    ours = [name for name in here if "assets/" in name or name in ("layout.json", "analysed.json")]
    assert len(ours) == 4 and [name for name in ours if here[name] != there[name]] == []
    assert "transform_fn/saved_model.pb" in there


def test_the_same_metrics(sides: SimpleNamespace) -> None:
    here, there = files(sides.local / "evaluation"), files(sides.url / "evaluation")
    assert sorted(there) == sorted(here)
    # It names the places of model and examples.
    differing = [name for name in here if here[name] != there[name]]
    assert differing == ["eval_config.json"]
    metrics = json.loads(there["metrics.json"])
    assert metrics["truth"] and metrics["baseline"]


def test_nothing_of_the_work_in_between_is_left(sides: SimpleNamespace) -> None:
    assert not any("shuffle" in name or "partial" in name or "tally" in name for name in files(sides.url))


def test_no_object_stands_for_a_folder_that_would_be_copied_into_a_file(sides: SimpleNamespace) -> None:
    for stage in ("examples", "statistics", "graph", "transformed", "evaluation"):
        listed = sides.client.list_objects_v2(Bucket="shop", Prefix=f"out/{stage}/")["Contents"]
        assert [entry["Key"] for entry in listed if entry["Key"].endswith("/")] == []


def test_what_the_validation_keeps_is_what_it_has_read(sides: SimpleNamespace) -> None:
    [kept] = (sides.folder / "scratch-url" / "kept").iterdir()
    found = files(kept)
    del found["kept.json"]
    assert found == files(sides.local / "statistics")


def test_the_fingerprint_follows_the_objects_without_reading_them(sides: SimpleNamespace) -> None:
    recipe = recipe_at("s3://shop/logs/")
    before = fingerprint(recipe)
    assert before == fingerprint(recipe_at("s3://shop/logs")) != fingerprint(recipe_at(f"{sides.folder}/logs"))
    sides.client.put_object(Bucket="shop", Key="logs/carts.jsonl.txt", Body=b"no part of it")
    assert fingerprint(recipe) == before
    sides.client.put_object(Bucket="shop", Key="logs/seen/more.parquet", Body=b"1")
    more = fingerprint(recipe)
    sides.client.put_object(Bucket="shop", Key="logs/seen/more.parquet", Body=b"12")
    assert len({before, more, fingerprint(recipe)}) == 3
    sides.client.delete_object(Bucket="shop", Key="logs/seen/more.parquet")
    assert fingerprint(recipe) == before


def test_a_stage_that_fails_in_the_middle_leaves_no_file_that_is_not_whole(
    sides: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    whole, calls = writing._write_file, []

    def write_file(*arguments: Any) -> None:
        # Of several threads the first one finishes its file, whatever the others do meanwhile.
        calls.append(arguments)
        first = calls[0] is arguments
        whole(*arguments)
        if not first:
            raise MemoryError

    monkeypatch.setattr(writing, "_write_file", write_file)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    plan = EventLogsPlan.from_recipe(recipe_at("s3://shop/logs"))
    with pytest.raises(Exception, match="MemoryError"):
        pipeline.run(plan, "s3://shop/failed", lambda: beam.Pipeline(runner="FnApiRunner"))
    with LocalCopy("s3://shop/failed") as left:
        found = files(Path(left))
    assert len(calls) > 1 and not any("shuffle" in name for name in found)
    examples = {name: content for name, content in found.items() if name.startswith("Split-")}
    expected = files(sides.local / "examples")
    assert len(examples) >= 1 and all(expected[name] == content for name, content in examples.items())
    assert [path for path in tmp_path.iterdir() if path.suffix == ".partial"] == []


def test_a_file_that_is_no_parquet_is_named_by_its_url(sides: SimpleNamespace) -> None:
    sides.client.put_object(Bucket="shop", Key="broken/seen/a.parquet", Body=b"no Parquet at all")
    sides.client.put_object(Bucket="shop", Key="broken/clicks.csv", Body=b"user,item,time\n")
    sides.client.put_object(Bucket="shop", Key="broken/carts.jsonl", Body=b"")
    plan = EventLogsPlan.from_recipe(recipe_at("s3://shop/broken"))
    with pytest.raises(
        InputError, match=r"cannot read s3://shop/broken/seen/a\.parquet as parquet: Parquet magic bytes"
    ):
        pipeline.run(plan, "s3://shop/out-broken", lambda: beam.Pipeline(runner="FnApiRunner"))
