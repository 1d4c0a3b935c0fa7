"""The recipe's section `beam` as the flags that Beam reads."""

from __future__ import annotations

from models.recipe.beam import Beam, has_flag, runner_path


def beam_flags(beam: Beam, image: str) -> list[str]:
    """Beam's flags for the data stages.

    Beam knows not all runners by a short name, so it gets the path of the class. Dask puts 128 elements into one task, if it
    is not told otherwise; an element of ours is a piece of work of seconds.

    Args:
        beam: the recipe's section.
        image: the container image of workers that an engine starts itself. With any name TFX does not build a source
            distribution of itself before each stage.
    """
    flags = [f"--runner={runner_path(beam.runner)}"]
    if not has_flag(beam, "--sdk_container_image"):
        flags.append(f"--sdk_container_image={image}")
    is_dask = runner_path(beam.runner) == runner_path("DaskRunner")
    if is_dask and not has_flag(beam, "--dask_partition_size", "--dask_npartitions"):
        flags.append("--dask_partition_size=1")
    return [*flags, *beam.flags]
