"""Finds the affinities between the tasks that a run has measured, and the recipe that it ran."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pydantic

from models.recipe.errors import InputError
from models.recipe.file import load_recipe, written_values
from models.recipe.recipe import Recipe
from pipeline.run_record import resolved
from pipeline.run_records import Record, find


@dataclasses.dataclass(frozen=True)
class RanRecipe:
    """The recipe of a run.

    Attributes:
        recipe: the recipe, with the run's overrides.
        values: its values, as the file has them.
        text: the text of the file; None if the file is gone or says something else than in the run. The values are then those of
            the run's record that are no defaults.
        file: the file.
    """

    recipe: Recipe
    values: Mapping[str, Any]
    text: str | None
    file: Path


def affinities_of(records: Sequence[Record], run: str | None) -> tuple[Record, Mapping[str, Any]]:
    """The record of a run, and `affinity` of its history.json.

    Args:
        records: newest first.
        run: id of the run, or its beginning. None: the newest run that has measured affinities.

    Raises:
        InputError: no such run, or it has no affinities.
    """
    for record in records if run is None else [find(records, run)]:
        if found := _affinity(record):
            return record, found
    which = f"run {find(records, run)['id']}" if run is not None else f"{len(records)} runs"
    file = find(records, run)["file"] if run is not None else records[0]["file"]
    raise InputError(
        f"{which}: no affinities between tasks. A run measures them between at least two tasks that are not adversarial, on one "
        f"device, with gatewise run {file} --set training.affinity_every=10 --no-push"
    )


def _affinity(record: Record) -> Mapping[str, Any] | None:
    file = Path(record.get("training") or "") / "history.json"
    try:
        found = json.loads(file.read_text(encoding="utf-8")).get("affinity")
    except (OSError, ValueError):
        return None
    return found if found and any(found["samples"].values()) else None


def recipe_of(record: Record) -> RanRecipe:
    """The recipe of a run: its file with the overrides of the run if they still say the same, else the record.

    Raises:
        InputError: neither can be read by this version of gatewise.
    """
    file, overrides = Path(record["file"]), tuple(record["overrides"])
    try:
        recipe = load_recipe(file, overrides, record["data_option"])
        if resolved(recipe) == record["resolved"]:
            values = written_values(file, overrides)
            return RanRecipe(recipe, values, file.read_text(encoding="utf-8"), file)
    except InputError:
        pass
    try:
        recipe = Recipe.model_validate(record["resolved"])
    except pydantic.ValidationError:
        raise InputError(
            f"run {record['id']}: this version of gatewise does not read its recipe, and {file} has changed since. Run it again."
        ) from None
    return RanRecipe(recipe, recipe.model_dump(mode="json", by_alias=True, exclude_defaults=True), None, file)
