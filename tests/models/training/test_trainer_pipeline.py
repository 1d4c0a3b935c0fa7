"""The stock TFX Trainer runs `run_fn`; the model it makes is probed and pushed, and a second run does nothing."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tfx.components.trainer.component import Trainer
from tfx.dsl.components.common.importer import Importer
from tfx.orchestration.local.local_dag_runner import LocalDagRunner
from tfx.orchestration.metadata import sqlite_metadata_connection_config
from tfx.orchestration.pipeline import Pipeline
from tfx.proto.pusher_pb2 import PushDestination
from tfx.proto.trainer_pb2 import EvalArgs, TrainArgs
from tfx.types import standard_artifacts as standard

from components.probe.component import Probe
from components.probe.plan import ProbePlan
from components.push.component import Pusher
from components.push.lock import LOCK
from models.files.version_folders import version_folders
from models.recipe.recipe import Recipe
from models.training.plan import TrainerPlan

KINDS = {
    "device": pa.large_binary(),
    "item": pa.int64(),
    "tags": pa.large_binary(),
    "age": pa.float32(),
    "gatewise/example_id": pa.int64(),
}


@pytest.fixture
def raw_examples(problem: SimpleNamespace, tmp_path: Path) -> Path:
    """The raw validate examples, as the stage event_logs writes them."""
    rows = [{**row, "gatewise/example_id": [10 * place]} for place, row in enumerate(problem.rows["eval"])]
    table = pa.Table.from_pylist(rows, pa.schema({name: pa.large_list(kind) for name, kind in KINDS.items()}))
    folder = tmp_path / "examples" / "Split-validate"
    folder.mkdir(parents=True)
    pq.write_table(table, folder / "examples-00000-of-00001.parquet")
    return folder.parent


def run(problem: SimpleNamespace, raw_examples: Path, root: Path) -> None:
    recipe = Recipe.model_validate(problem.recipe)

    def imported(uri: Path, kind: type, name: str, **properties: str) -> Importer:
        return Importer(source_uri=str(uri), artifact_type=kind, **properties).with_id(name)

    splits = {"properties": {"split_names": '["train", "eval"]'}}
    raw = imported(raw_examples, standard.Examples, "raw", properties={"split_names": '["validate"]'})
    transformed = imported(
        problem.folder / "transformed",
        standard.Examples,
        "transformed",
        **splits,
        custom_properties={"file_format": "arrow_ipc"},
    )
    graph = imported(problem.transform_graph, standard.TransformGraph, "graph")
    trainer = Trainer(
        run_fn="models.training.trainer.run_fn",
        examples=transformed.outputs["result"],
        transform_graph=graph.outputs["result"],
        train_args=TrainArgs(),
        eval_args=EvalArgs(),
        custom_config={"plan": TrainerPlan.from_recipe(recipe).model_dump_json()},
    )
    probe = Probe(
        model=trainer.outputs["model"],
        examples=raw.outputs["result"],
        plan=ProbePlan.from_recipe(recipe).model_dump_json(),
        code="1",
    )
    pusher = Pusher(
        model=trainer.outputs["model"],
        infra_blessing=probe.outputs["infra_blessing"],
        push_destination=PushDestination(filesystem=PushDestination.Filesystem(base_directory=str(root / "serving"))),
    )
    pipeline = Pipeline(
        pipeline_name="small",
        pipeline_root=str(root / "artifacts"),
        components=[raw, transformed, graph, trainer, probe, pusher],
        enable_cache=True,
        metadata_connection_config=sqlite_metadata_connection_config(str(root / "metadata.sqlite")),
    )
    LocalDagRunner().run(pipeline)


def test_trained_probed_pushed_once(problem: SimpleNamespace, raw_examples: Path, tmp_path: Path) -> None:
    run(problem, raw_examples, tmp_path)
    (model,) = (tmp_path / "artifacts" / "Trainer" / "model").glob("*/Format-Serving/saved_model.pb")
    (report,) = (tmp_path / "artifacts" / "Probe" / "infra_blessing").glob("*/probe.json")
    found = json.loads(report.read_text())
    assert {key: found[key] for key in ("blessed", "requests", "faults")} == {
        "blessed": True,
        "requests": 5,
        "faults": [],
    }
    assert found["latency_ms"]["p50"] > 0 and found["size_mib"] > 0
    (version,) = version_folders(tmp_path / "serving").values()
    assert version.name.isdigit() and (version / "saved_model.pb").read_bytes() == model.read_bytes()
    run(problem, raw_examples, tmp_path)
    assert {path.name for path in (tmp_path / "serving").iterdir()} == {version.name, LOCK}
    assert len(list((tmp_path / "artifacts" / "Trainer" / "model").iterdir())) == 1, "trained once"
