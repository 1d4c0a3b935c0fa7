"""Checks that a recipe reads the simulated shop's streams."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from models.recipe.errors import InputError
from models.recipe.locations import is_url
from models.recipe.recipe import Recipe
from models.recipe.registry import known
from pipeline.simulate import STREAMS


def check_recipe(recipe: Recipe, file: Path) -> None:
    """Checks that the recipe reads only logs that the simulator writes.

    Raises:
        InputError: the recipe has no logs, or the simulator does not write the folder of a stream.
    """
    if recipe.logs is None:
        raise InputError(
            f"{file}: starts from labelled examples; the simulator writes event logs. Use recipes/shop.yaml."
        )
    for name, stream in recipe.logs.streams.items():
        folder = PurePosixPath(stream.path).parts[0]
        if folder not in STREAMS:
            raise InputError(
                f"{file}: logs.streams.{name}.path: the simulator does not write {stream.path!r}; {known(folder, STREAMS)} "
                "Start from recipes/shop.yaml."
            )


def data_folder(recipe: Recipe, file: Path) -> Path:
    """The simulator's default output folder: the recipe's data folder.

    Raises:
        InputError: the recipe's data folder is a URL.
    """
    if is_url(recipe.data):
        raise InputError(
            f"{file}: data: the simulator writes only to local folders, received {recipe.data}. Pass --out DIR."
        )
    return Path(recipe.data)
