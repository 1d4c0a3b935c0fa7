"""Whether a recipe is one over the simulated shop's streams."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from models.recipe.errors import InputError
from models.recipe.locations import is_url
from models.recipe.recipe import Recipe
from models.recipe.registry import known
from pipeline.simulate import STREAMS


def check_recipe(recipe: Recipe, file: Path) -> None:
    """Refuses a recipe that reads other logs than the simulator writes: what it wrote would be of no use to it.

    Raises:
        InputError: the recipe has no logs, or a stream of it lies in a folder that the simulator does not write.
    """
    if recipe.logs is None:
        raise InputError(
            f"{file}: starts from labelled examples; the simulator writes event logs. Use recipes/shop.yaml."
        )
    for name, stream in recipe.logs.streams.items():
        folder = PurePosixPath(stream.path).parts[0]
        if folder not in STREAMS:
            raise InputError(
                f"{file}: logs.streams.{name}.path: the simulator writes no {stream.path!r}; {known(folder, STREAMS)} "
                "Start from recipes/shop.yaml."
            )


def data_folder(recipe: Recipe, file: Path) -> Path:
    """Where the simulator writes if it is not told: where the recipe reads.

    Raises:
        InputError: that is a URL.
    """
    if is_url(recipe.data):
        raise InputError(
            f"{file}: data: the simulator writes to folders only, and this is {recipe.data}. Give --out DIR."
        )
    return Path(recipe.data)
