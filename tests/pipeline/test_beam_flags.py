from __future__ import annotations

from models.recipe.beam import Beam
from pipeline.beam_flags import beam_flags

LOCAL = "--runner=apache_beam.runners.portability.fn_api_runner.FnApiRunner"
DASK = "--runner=apache_beam.runners.dask.dask_runner.DaskRunner"


def test_one_machine() -> None:
    assert beam_flags(Beam(), "gatewise") == [LOCAL, "--sdk_container_image=gatewise"]


def test_flags_of_the_recipe_come_last_and_win() -> None:
    beam = Beam(runner="my.engine.Runner", flags=("--sdk_container_image=mine", "--x"))
    assert beam_flags(beam, "gatewise") == ["--runner=my.engine.Runner", "--sdk_container_image=mine", "--x"]


def test_an_element_a_task_on_dask_unless_told_otherwise() -> None:
    where = "--dask_client_address=tcp://a:1"
    image = "--sdk_container_image=gatewise"
    assert beam_flags(Beam(runner="DaskRunner", flags=(where,)), "gatewise") == [
        DASK,
        image,
        "--dask_partition_size=1",
        where,
    ]
    of_the_recipe = (where, "--dask_npartitions=8")
    by_path = Beam(runner=DASK.partition("=")[2], flags=of_the_recipe)
    assert beam_flags(by_path, "gatewise") == [DASK, image, *of_the_recipe]
