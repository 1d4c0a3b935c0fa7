"""TFX artifacts and executors without TFX orchestration."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import apache_beam as beam
from tfx import types
from tfx.dsl.components.base import base_beam_executor, base_executor

from components.beam.running import running

BEAM = ("--runner=FnApiRunner", "--sdk_container_image=gatewise")
SPLITS = '["train", "validate", "eval"]'


def artifact(
    kind: type[types.Artifact], uri: Path | str, *, splits: str | None = SPLITS, id: int = 1
) -> types.Artifact:
    """An artifact at `uri`, which may not exist yet."""
    made = kind()
    made.uri, made.id = str(uri), id
    if splits is not None and "split_names" in (kind.PROPERTIES or {}):
        made.split_names = splits
    return made


def do(
    executor: type[base_executor.BaseExecutor],
    inputs: Mapping[str, types.Artifact],
    outputs: Mapping[str, types.Artifact],
    properties: Mapping[str, Any],
    temporary: Path,
    flags: Sequence[str] = BEAM,
) -> None:
    """Calls an executor in the same way as LocalDagRunner.

    Args:
        executor: class of the executor.
        inputs, outputs: by key, one artifact each.
        properties: the execution properties.
        temporary: a folder for its temporary files.
        flags: of Beam.
    """
    context: Any
    if issubclass(executor, base_beam_executor.BaseBeamExecutor):
        context = base_beam_executor.BaseBeamExecutor.Context(
            beam_pipeline_args=list(flags), tmp_dir=str(temporary), unique_id="1"
        )
    else:
        context = base_executor.BaseExecutor.Context(tmp_dir=str(temporary), unique_id="1")
    for made in outputs.values():
        os.makedirs(made.uri, exist_ok=True)
    executor(context).Do(
        {key: [value] for key, value in inputs.items()},
        {key: [value] for key, value in outputs.items()},
        dict(properties),
    )


def start_beam(flags: Sequence[str] = BEAM) -> None:
    """Runs an empty pipeline, which loads the Beam runner, so that the start-up is not timed."""
    with running(lambda: beam.Pipeline(argv=list(flags))) as pipeline:
        _ = pipeline | beam.Create([0]) | beam.Map(lambda element: element)
