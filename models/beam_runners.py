"""Beam's engines by the names that a recipe may give them, and the flags without which they find no cluster."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from models.registry import known

if TYPE_CHECKING:
    from models.recipe import Beam, Recipe

Problem = tuple[tuple[str | int, ...], str]

RUNNERS = {
    "FnApiRunner": "apache_beam.runners.portability.fn_api_runner.FnApiRunner",
    "DirectRunner": "apache_beam.runners.direct.direct_runner.DirectRunner",
    "PrismRunner": "apache_beam.runners.portability.prism_runner.PrismRunner",
    "PortableRunner": "apache_beam.runners.portability.portable_runner.PortableRunner",
    "DaskRunner": "apache_beam.runners.dask.dask_runner.DaskRunner",
    "FlinkRunner": "apache_beam.runners.portability.flink_runner.FlinkRunner",
    "SparkRunner": "apache_beam.runners.portability.spark_runner.SparkRunner",
    "DataflowRunner": "apache_beam.runners.dataflow.dataflow_runner.DataflowRunner",
}
"""{name: dotted path of the class}. A path itself is taken, too: of a runner that is not Beam's own."""

CLUSTERS = {
    "DaskRunner": {"--dask_client_address": "tcp://dask-scheduler:8786", "--dask_scheduler_file": "/shared/dask.json"},
    "PortableRunner": {"--job_endpoint": "localhost:8099"},
}
"""{runner: {flag that says where the cluster is: a value such as it may have}}; one of the flags is needed."""


def runner_path(name: str) -> str:
    """The dotted path of the runner's class."""
    return RUNNERS.get(name, name)


def has_flag(beam: Beam, *names: str) -> bool:
    """Whether one of the flags is among those of the recipe."""
    return any(flag.partition("=")[0] in names for flag in beam.flags)


def beam_problems(recipe: Recipe) -> Iterator[Problem]:
    """What is wrong in the section `beam`: (the key's location, what is wrong and what to write instead)."""
    beam = recipe.beam
    at: tuple[str | int, ...] = ("beam", "runner")
    names = {path: name for name, path in RUNNERS.items()}
    if beam.runner not in RUNNERS and not all(part.isidentifier() for part in beam.runner.split(".")):
        yield at, f"expected a runner's name or the path of its class, received {beam.runner!r}."
    elif beam.runner not in RUNNERS and "." not in beam.runner:
        yield at, f"unknown Beam runner {beam.runner!r}; {known(beam.runner, RUNNERS)} Or the path of a runner's class."
    for index, flag in enumerate(beam.flags):
        if not flag.startswith("--"):
            yield ("beam", "flags", index), f"expected a flag such as '--region=europe-west1', received {flag!r}."
    if has_flag(beam, "--runner"):
        yield ("beam", "flags"), "the runner has a key of its own: write it as 'runner'."
    name = names.get(runner_path(beam.runner), beam.runner)
    where = CLUSTERS.get(name)
    if where and not has_flag(beam, *where):
        examples = " or ".join(repr(f"{flag}={value}") for flag, value in where.items())
        yield ("beam", "flags"), f"{name} must be told where its cluster is: give it {examples}."
