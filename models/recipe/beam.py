"""The section `beam` of a recipe: names of Beam runners, and the flags with the address of their cluster."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from models.recipe.section import Number, Section


class Beam(Section):
    """How the data stages run."""

    runner: str = Field(
        default="FnApiRunner",
        description="Beam runner: `FnApiRunner` (this machine), `DaskRunner`, `PortableRunner`, `FlinkRunner`, `SparkRunner`, "
        "`DataflowRunner`, or the dotted path of a runner class. It never changes the result.",
        examples=["DaskRunner"],
    )
    flags: tuple[str, ...] = Field(
        default=(),
        description="Beam flags, such as the address of the cluster.",
        examples=[["--dask_client_address=tcp://dask-scheduler:8786"]],
    )
    partitions: Annotated[int, Field(ge=1, le=65_536), Number] | None = Field(
        default=None,
        description="Number of partitions of the join. By default one per 500,000 rows or so. It never changes the result.",
        examples=[16],
    )


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
"""{name: dotted path of the class}. A recipe may also contain the path of another runner class."""

CLUSTERS = {
    "DaskRunner": {"--dask_client_address": "tcp://dask-scheduler:8786", "--dask_scheduler_file": "/shared/dask.json"},
    "PortableRunner": {"--job_endpoint": "localhost:8099"},
}
"""{runner: {flag with the address of the cluster: example value}}. One of the flags is required."""


def runner_path(name: str) -> str:
    """The dotted path of the runner's class."""
    return RUNNERS.get(name, name)


def has_flag(beam: Beam, *names: str) -> bool:
    """Whether the recipe has one of the flags."""
    return any(flag.partition("=")[0] in names for flag in beam.flags)
