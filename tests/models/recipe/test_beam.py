"""The section `beam`: names of runners, and the flags without which one finds no cluster."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from models.recipe.beam import CLUSTERS, RUNNERS
from models.recipe.errors import InputError
from models.recipe.file import load_recipe
from models.recipe.recipe import Recipe

RECIPE = """\
name: census
examples: {path: a.parquet}
split: {eval_fraction: 0.2}
features: {age: {kind: numeric}}
tasks: {income: {kind: binary, label: {column: income}}}
beam: {BEAM}
"""


def loaded(folder: Path, beam: str) -> Recipe:
    (folder / "census.yaml").write_text(RECIPE.replace("{BEAM}", beam))
    return load_recipe(str(folder / "census.yaml"))


@pytest.mark.parametrize(
    "beam",
    [
        "{}",
        "{runner: DaskRunner, flags: [--dask_client_address=tcp://a:1]}",
        "{runner: apache_beam.runners.dask.dask_runner.DaskRunner, flags: ['--dask_scheduler_file', '--x']}",
        "{runner: PortableRunner, flags: [--job_endpoint=a:1, --environment_type=LOOPBACK]}",
        "{runner: my.engine.Runner}",
    ],
)
def test_taken(beam: str, tmp_path: Path) -> None:
    loaded(tmp_path, beam)


@pytest.mark.parametrize(
    ("beam", "words"),
    [
        ("{runner: FlinkRuner}", "beam.runner: unknown Beam runner 'FlinkRuner'; did you mean 'FlinkRunner'? Known: "),
        ("{runner: dask runner}", "beam.runner: expected the name of a runner or the path of its class"),
        ("{runner: DaskRunner}", "beam.flags: DaskRunner needs the address of its cluster: add '--dask_client_addr"),
        ("{runner: PortableRunner, flags: [--environment_type=LOOPBACK]}", "add '--job_endpoint=localhost:8099'"),
        ("{flags: [region=here]}", "expected a flag such as '--region=europe-west1', received 'region=here'"),
        ("{flags: [--runner=DaskRunner]}", "set the runner with the key 'runner'"),
    ],
)  # fmt: skip
def test_refused(beam: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as raised:
        loaded(tmp_path, beam)
    assert words in str(raised.value) and "census.yaml:6" in str(raised.value)


def test_the_paths_are_those_of_beam() -> None:
    assert set(CLUSTERS) < set(RUNNERS)
    for name, path in RUNNERS.items():
        module, _, kind = path.rpartition(".")
        assert kind == name
        if name != "DataflowRunner":  # needs an extra of Beam
            assert hasattr(importlib.import_module(module), name)
