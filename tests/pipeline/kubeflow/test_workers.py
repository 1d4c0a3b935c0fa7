"""Where Beam's workers are, by its flags."""

from __future__ import annotations

import pytest

from pipeline.kubeflow.workers import elsewhere


@pytest.mark.parametrize(
    "flags",
    [
        [],
        ["--runner=FnApiRunner", "--sdk_container_image=x"],
        ["--runner", "directrunner"],
        ["--runner=apache_beam.runners.portability.fn_api_runner.FnApiRunner"],
        ["--runner=DaskRunner", "--runner=direct"],
        ["--direct_num_workers=2", "--runner=PrismRunner"],
    ],
)
def test_in_the_pod(flags: list[str]) -> None:
    assert not elsewhere(flags)


@pytest.mark.parametrize(
    "flags",
    [
        ["--runner=DaskRunner", "--dask_client_address=tcp://scheduler:8786"],
        ["--sdk_container_image=x", "--runner", "FlinkRunner"],
        ["--runner=FnApiRunner", "--runner=PortableRunner"],
        ["--runner=apache_beam.runners.dask.dask_runner.DaskRunner"],
        ["--runner=dataflow"],
    ],
)
def test_in_other_pods(flags: list[str]) -> None:
    assert elsewhere(flags)
