"""The data stages on engines with worker processes of their own, by the recipe's `beam` alone: the bytes of the local run."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dying
import polars as pl
import pytest

from benchmarks.stages.ours import STAGES
from models.recipe.errors import InputError
from models.recipe.file import load_recipe

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

# The latest event, and the time from which on examples evaluate, are found on the way and told to all partitions.
FOUND = ["logs.as_of=latest", "split={eval_fraction: 0.25}", "beam.partitions=8"]
DATA_STAGES = ("event_logs", "statistics", "features")
# TensorFlow names the functions of a graph in the order of their making: it differs from one time to the next.
GRAPH = {"transform_graph/transform_fn/saved_model.pb", "transform_graph/transform_fn/fingerprint.pb"}


@pytest.fixture(scope="module")
def logs(shop_logs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shop's logs in five files a stream."""
    folder = tmp_path_factory.mktemp("five")
    for stream in ("impressions", "clicks", "carts", "orders"):
        files = sorted((shop_logs / stream).glob("*.parquet"))
        (folder / stream).mkdir()
        for number in range(5):
            rows = pl.concat([pl.read_parquet(file) for file in files[number::5]], how="vertical_relaxed")
            rows.write_parquet(folder / stream / f"{number}.parquet")
    return folder


@pytest.fixture(scope="module")
def run(shop_recipe: Path, logs: Path) -> Callable[..., dict[str, str]]:
    """Runs stages into a folder: {file: digest of its bytes}."""

    def stages(out: Path, beam: list[str], names: tuple[str, ...] = DATA_STAGES, data: Path = logs) -> dict[str, str]:
        recipe = load_recipe(str(shop_recipe), [*FOUND, *beam], str(data))
        for name in names:
            STAGES[name](recipe, out, out)
        files = [path for path in sorted(out.rglob("*")) if path.is_file()]
        return {str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

    return stages


@pytest.fixture(scope="module")
def local(run: Callable[..., dict[str, str]], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    found = run(tmp_path_factory.mktemp("local"), [])
    assert len([name for name in found if name.startswith("transformed_examples/Split-train/")]) == 8
    assert {"examples/accounts.json", "examples/summary.json", "statistics/Split-eval/FeatureStats.pb"} < set(found)
    assert set(found) > GRAPH
    return {name: digest for name, digest in found.items() if name not in GRAPH}


def test_all_data_stages_write_the_same_bytes_through_the_job_service(
    job_service: Any, run: Callable[..., Any], local: dict[str, str], tmp_path: Path
) -> None:
    found = run(tmp_path, job_service.beam)
    assert {name: digest for name, digest in found.items() if name not in GRAPH} == local


def test_all_data_stages_write_the_same_bytes_on_dask_with_workers_killed_in_each(
    dask: Any, run: Callable[..., Any], local: dict[str, str], tmp_path: Path
) -> None:
    for point in dying.POINTS:
        (dask.arms / f"armed-{point}").touch()
    found = run(tmp_path, dask.beam)
    assert sorted(path.name for path in dask.arms.glob("*-*")) == sorted(f"died-{point}" for point in dying.POINTS)
    assert {name: digest for name, digest in found.items() if name not in GRAPH} == local


@pytest.mark.parametrize("engine", ["dask", "job_service"])
def test_a_refused_file_is_refused_in_the_same_words(
    engine: str, request: pytest.FixtureRequest, run: Callable[..., Any], logs: Path, tmp_path: Path
) -> None:
    data = tmp_path / "logs"
    shutil.copytree(logs, data)
    broken = bytearray((data / "clicks" / "3.parquet").read_bytes())
    broken[100:400] = b"x" * 300
    (data / "clicks" / "3.parquet").write_bytes(broken)
    said = []
    for number, beam in enumerate(([], request.getfixturevalue(engine).beam)):
        with pytest.raises(InputError, match="cannot read .*3.parquet as parquet: .* Write the file again") as raised:
            run(tmp_path / str(number), beam, ("event_logs",), data)
        said.append(str(raised.value))
    assert said[0] == said[1]
