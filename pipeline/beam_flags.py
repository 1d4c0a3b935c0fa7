"""Beam's flags from the recipe's section `beam`."""

from __future__ import annotations

from models.recipe.beam import Beam, has_flag, runner_path


def beam_flags(beam: Beam, image: str) -> list[str]:
    """Beam's flags for the data stages.

    The runner is given by the path of its class, because Beam does not have a short name for every runner. On Dask, the
    partition size is 1: by default one task has 128 elements, and an element of gatewise takes seconds.

    Args:
        beam: the recipe's section.
        image: the container image of workers that an engine starts itself. If it is set, TFX does not build a source
            distribution of itself before each stage.
    """
    flags = [f"--runner={runner_path(beam.runner)}"]
    if not has_flag(beam, "--sdk_container_image"):
        flags.append(f"--sdk_container_image={image}")
    is_dask = runner_path(beam.runner) == runner_path("DaskRunner")
    if is_dask and not has_flag(beam, "--dask_partition_size", "--dask_npartitions"):
        flags.append("--dask_partition_size=1")
    return [*flags, *beam.flags]
