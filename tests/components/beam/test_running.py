from __future__ import annotations

import re
from pathlib import Path

import apache_beam as beam
import grpc
import pytest

from components.beam.running import plain_messages, running
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


def refuse(element: int) -> int:
    raise InputError(f"row {element}: expected less")


def test_the_step_is_taken_off_and_the_rest_stays() -> None:
    with (
        pytest.raises(InputError) as raised,
        plain_messages(),
        beam.Pipeline(argv=["--runner=FnApiRunner"]) as pipeline,
    ):
        _ = pipeline | "rows" >> beam.Create([7]) | "refuse" >> beam.Map(refuse)
    assert str(raised.value) == "row 7: expected less"


def test_other_errors_pass_unchanged() -> None:
    with pytest.raises(KeyError, match="while running"), plain_messages():
        raise KeyError("x [while running 'a']")


class KilledWorker(Exception):
    """Named as Dask's."""


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            RuntimeError(
                "Pipeline job-1 failed in state FAILED: Traceback ...\nmodels.recipe.errors.InputError: a.csv: no column 'x'\n"
                "During handling ...\nmodels.recipe.errors.InputError: a.csv: no column 'x'. Known: 'y',\n'z'. [while running 'read']\n"
            ),
            "a.csv: no column 'x'. Known: 'y',\n'z'.",
        ),
        (
            ModuleNotFoundError("No module named 'components.event_logs'"),
            "a worker has no module 'components.event_logs': it runs another version",
        ),
        (
            OSError("Timed out trying to connect to tcp://here:1 after 5 s"),
            "no Dask scheduler answers at tcp://here:1.",
        ),
        (grpc.FutureTimeoutError(), "no job service answers"),
        (KilledWorker("Attempted to run task 'x' on 4 different workers"), "raise `beam.partitions`"),
    ],
)
def test_what_an_engine_says_becomes_what_to_do(error: Exception, words: str) -> None:
    with pytest.raises(InputError, match=re.escape(words)) as raised, plain_messages():
        raise error
    assert "Traceback" not in str(raised.value) and "while running" not in str(raised.value)


def test_another_missing_module_is_a_defect() -> None:
    with pytest.raises(ModuleNotFoundError), plain_messages():
        raise ModuleNotFoundError("No module named 'numpi'")
