from __future__ import annotations

from pathlib import Path

import apache_beam as beam
import pytest

from components.beam_running import running
from models.recipe.errors import InputError


def test_runs_to_the_end_and_removes_what_is_half_written(tmp_path: Path) -> None:
    kept, folder = tmp_path / "out[1]" / "part.parquet", tmp_path / "out[1]" / "Split-train"
    folder.mkdir(parents=True)
    kept.touch()
    for path in (kept.with_name(".part.parquet.7f.tmp"), folder / ".a.7f.partial", folder / "b.partial"):
        path.touch()
    with running(lambda: beam.Pipeline(runner="FnApiRunner"), str(tmp_path / "out[1]")) as pipeline:
        _ = pipeline | beam.Create([str(folder / "done")]) | beam.Map(lambda path: Path(path).touch())
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == ["done", "part.parquet"]


def test_a_cluster_that_is_not_there_is_named() -> None:
    flags = ["--runner=apache_beam.runners.dask.dask_runner.DaskRunner", "--dask_connection_timeout=1"]
    with (
        pytest.raises(InputError, match="no Dask scheduler answers at tcp://127.0.0.1:1. Start one"),
        running(lambda: beam.Pipeline(argv=[*flags, "--dask_client_address=tcp://127.0.0.1:1"])) as pipeline,
    ):
        _ = pipeline | beam.Create([0])
