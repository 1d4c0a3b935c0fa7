"""Reads a run from ML Metadata: its stages with seconds and rows, and the folder of each output."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import ml_metadata as mlmd
from ml_metadata.proto import metadata_store_pb2

from models.recipe.errors import InputError
from pipeline.lineage_eval_reads import eval_reads
from pipeline.metadata_file import check_metadata
from pipeline.run_paths import COMPARISON, RunPaths

COMPLETE, CACHED = metadata_store_pb2.Execution.COMPLETE, metadata_store_pb2.Execution.CACHED
OUTPUT = metadata_store_pb2.Event.OUTPUT
EVENT_LOGS = "EventLogs"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Stage:
    """One stage of a run. `rows` is 0 if the stage does not process rows."""

    name: str
    rows: int
    seconds: float
    cached: bool

    @property
    def rows_per_second(self) -> float:
        """Throughput; 0 if the stage is cached."""
        return round(self.rows / self.seconds, 1) if self.seconds and not self.cached else 0.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class Run:
    """A run: its stages in order, and the folder of each output artifact by "Stage.key".

    `eval_reads`: how many evaluations read its eval split; None if it was not evaluated. `code`: version of the code of each stage,
    of failed ones, too. `fingerprint`: that of the log files; "" if EventLogs has not started.
    `id`: its name in the store. `begun`: seconds since 1970 of its first stage.
    """

    stages: tuple[Stage, ...]
    artifacts: dict[str, Path]
    properties: dict[str, dict[str, Any]]
    eval_reads: int | None = None
    code: dict[str, str] = dataclasses.field(default_factory=dict)
    fingerprint: str = ""
    id: str = ""
    begun: float = 0.0

    def read_json(self, output: str, name: str) -> Any:
        """Content of the JSON file `name` in an output's folder; None if the file does not exist."""
        path = self.artifacts.get(output, Path("/nonexistent")) / name
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def last_run(paths: RunPaths) -> Run:
    """The newest run under these paths.

    Raises:
        InputError: there is no run, or the metadata store cannot be used.
    """
    return read_run(paths)


def read_run(paths: RunPaths, run: str | None = None) -> Run:
    """A run under these paths.

    Args:
        paths: folders of the recipe.
        run: id of the run. None: the newest.

    Raises:
        InputError: there is no such run, or the metadata store cannot be used.
    """
    if not paths.metadata.is_file():
        raise InputError(f"{paths.home}: no run found. Start one with: gatewise run RECIPE --root {paths.home.parent}")
    check_metadata(paths.metadata, write=False)
    config = metadata_store_pb2.ConnectionConfig()
    config.sqlite.filename_uri = str(paths.metadata)
    store = mlmd.MetadataStore(config)
    runs = store.get_contexts_by_type("pipeline_run")
    if not runs:
        raise InputError(f"{paths.home}: the first run ended before its first stage. Start it again.")
    resolvers = {found.id for found in store.get_execution_types() if found.name.endswith(".Resolver")}
    # The data stages of a comparison are a run in the store, which trains and reports nothing.
    named = [
        context for context in runs if run == context.name or (run is None and not context.name.startswith(COMPARISON))
    ]
    if not named and run is None:
        raise InputError(
            f"{paths.home}: has comparisons and no run. Start one with: gatewise run RECIPE --root {paths.home.parent}"
        )
    if not named:
        raise InputError(
            f"{paths.metadata}: has no run {run!r}; it ended before its first stage, or the store is another one."
        )
    chosen = max(named, key=lambda context: context.id)
    stages: list[Stage] = []
    artifacts: dict[str, Path] = {}
    properties: dict[str, dict[str, Any]] = {}
    code: dict[str, str] = {}
    fingerprint = ""
    for execution in sorted(store.get_executions_by_context(chosen.id), key=lambda found: found.id):
        if execution.type_id in resolvers:
            continue
        name = _node(store, execution.id)
        code |= _code(name, execution)
        if name == EVENT_LOGS:
            fingerprint = execution.custom_properties["fingerprint"].string_value
        if execution.last_known_state not in (COMPLETE, CACHED):
            continue
        events = [event for event in store.get_events_by_execution_ids([execution.id]) if event.type == OUTPUT]
        made = {
            artifact.id: artifact for artifact in store.get_artifacts_by_id([event.artifact_id for event in events])
        }
        rows = 0
        for event in events:
            artifact, output = made[event.artifact_id], f"{name}.{event.path.steps[0].key}"
            artifacts[output] = Path(artifact.uri)
            properties[output] = {"id": artifact.id, **_properties(artifact)}
            rows = max(rows, int(properties[output].get("rows", 0)))
        cached = execution.last_known_state == CACHED
        seconds = (execution.last_update_time_since_epoch - execution.create_time_since_epoch) / 1000
        stages.append(Stage(name=name, rows=rows, seconds=round(seconds, 3), cached=cached))
    return Run(
        stages=tuple(stages),
        artifacts=artifacts,
        properties=properties,
        eval_reads=eval_reads(store, chosen.id),
        code=code,
        fingerprint=fingerprint,
        id=chosen.name,
        begun=chosen.create_time_since_epoch / 1000,
    )


def _node(store: mlmd.MetadataStore, execution: int) -> str:
    context = next(found for found in store.get_contexts_by_execution(execution) if found.type == "node")
    return str(context.name).rpartition(".")[2]


def _code(name: str, execution: metadata_store_pb2.Execution) -> dict[str, str]:
    """{stage: version of its code}; empty for a stage of TFX without one. A Trainer has it in its `custom_config`."""
    config = json.loads(execution.custom_properties["custom_config"].string_value or "null") or {}
    version = execution.custom_properties["code"].string_value or config.get("code", "")
    return {name: version} if version else {}


def _properties(artifact: metadata_store_pb2.Artifact) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for table in (artifact.properties, artifact.custom_properties):
        for key, value in table.items():
            kind = value.WhichOneof("value")
            if kind in ("int_value", "double_value", "string_value"):
                values[key] = getattr(value, kind)
    return values
