"""What a recipe asks of the simulator: streams that it writes, and the true value of an item."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from models.recipe.errors import InputError
from models.recipe.locations import is_url
from models.recipe.recipe import Recipe
from models.recipe.registry import known
from pipeline.simulate_affinity import true_score
from pipeline.simulate_shop import Array
from pipeline.simulate_streams import BEST_ITEMS, STREAMS
from pipeline.simulate_truth import Truth


def check_recipe(recipe: Recipe, file: Path) -> None:
    """Checks that the recipe reads only logs that the simulator writes.

    Raises:
        InputError: the recipe has no logs, or the simulator does not write the folder of a stream or of `retrieval.truth`.
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

    truth = recipe.retrieval.truth if recipe.retrieval else None
    if truth is not None and PurePosixPath(truth.path).parts[0] != BEST_ITEMS:
        raise InputError(
            f"{file}: retrieval.truth.path: the simulator does not write {truth.path!r}; it writes the truly best items to "
            f"{BEST_ITEMS}/. Write {BEST_ITEMS}/*.parquet."
        )


def best_items_score(recipe: Recipe) -> Callable[[Truth], Array] | None:
    """The true value of an item, if the recipe asks for the truly best items (`retrieval.truth`), else None.

    Raises:
        InputError: as `true_score`.
    """
    return true_score(recipe) if recipe.retrieval and recipe.retrieval.truth else None


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


def settings_by_day(recipe: Recipe, last_day: datetime.date) -> list[str]:
    """The `--set` options with which a recipe reads logs by day, up to and including the last day.

    Args:
        recipe: a recipe that `check_recipe` accepts.
        last_day: the last day of the logs. The truly best items are read as of this day.
    """
    wanted: dict[str, str] = {}

    def by_day(key: str, path: str, days: str = "*") -> None:
        """Adds a setting, unless the path has a pattern for the folder of the day."""
        folder, *middle = PurePosixPath(path).parts[:-1]
        if middle in ([], ["*"] if days != "*" else []):
            wanted[key] = f"{folder}/{days}/*.parquet"

    if recipe.logs is not None:
        for name, stream in recipe.logs.streams.items():
            by_day(f"logs.streams.{name}.path", stream.path)
        end = datetime.datetime.combine(last_day + datetime.timedelta(days=1), datetime.time(), datetime.UTC)
        if isinstance(recipe.logs.as_of, datetime.datetime) and recipe.logs.as_of != end:
            wanted["logs.as_of"] = f"{end:%Y-%m-%dT%H:%M:%SZ}"
    if recipe.evaluation.truth:
        by_day("evaluation.truth.path", recipe.evaluation.truth.path)
    if recipe.retrieval and recipe.retrieval.truth:
        by_day("retrieval.truth.path", recipe.retrieval.truth.path, f"dt={last_day}")
    return [f"--set '{key}={value}'" for key, value in wanted.items()]
