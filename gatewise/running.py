"""Runs a recipe."""

from __future__ import annotations

import datetime
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gatewise.processes import call
from gatewise.recipes import Overrides, Recipe, as_recipe, file_of
from gatewise.runs import Run, load_run
from models.recipe.errors import InputError
from models.recipe.spans import parse_day
from pipeline.run_paths import run_paths

PUSHED, NOT_BLESSED = 0, 2


def run(
    recipe: Recipe | str | Path | Mapping[str, Any],
    root: str | Path = "runs",
    *,
    set: Overrides = (),
    data: str | Path | None = None,
    day: str | datetime.date | None = None,
    push: bool = True,
    quiet: bool = False,
) -> Run:
    """Runs a recipe from its logs to a pushed model. Stages that have not changed since the last run come from the cache.

    The run is the process `gatewise run`, with the same result, record and files. Interrupting it stops the run, and the same call
    resumes from the last finished stage.

    Args:
        recipe: a recipe, its file, or its content as a dict.
        root: folder for metadata, artifacts and pushed models.
        set: values that override the recipe's: {"section.key": value}, or texts "section.key=value".
        data: folder or URL of the data files, in place of the recipe's `data`.
        day: newest day to read, such as "2026-11-28"; needs `logs.span`.
        push: False for an experiment: the model is measured and gated, but not pushed.
        quiet: True shows no progress on standard error.

    Returns:
        The run, also if its model is not blessed: see `Run.outcome` and `Run.gates`.

    Raises:
        InputError: the recipe or the data were refused, or a file cannot be read or written.
        GatewiseError: the run crashed or was stopped.

    Example:
        run = gatewise.run("recipes/shop.yaml", set={"model.architecture": "ple"}, push=False)
        run.outcome
    """
    checked = as_recipe(recipe, set, data)
    home = run_paths(checked, root).home
    options = options_of(checked, home, root, day)
    with tempfile.TemporaryDirectory() as folder:
        summary = Path(folder) / "summary.json"
        more = [*(() if push else ("--no-push",)), "--json", str(summary)]
        call(["run", *options, *more], (PUSHED, NOT_BLESSED), quiet)
        made = json.loads(summary.read_text(encoding="utf-8"))
    return load_run(home, made["run"])


def options_of(recipe: Recipe, home: Path, root: str | Path, day: str | datetime.date | None) -> list[str]:
    """The recipe's file and the options `--root`, `--set`, `--data` and `--day` of a command.

    Raises:
        InputError: the day is none, or as `file_of`.
    """
    try:
        on_day = [] if day is None else ["--day", parse_day(str(day))]
    except ValueError as error:
        raise InputError(f"day: {error}; received {day!r}.") from None
    file, origin = file_of(recipe, home)
    overrides = [part for one in origin.overrides for part in ("--set", one)]
    data = [] if origin.data is None else ["--data", origin.data]
    return [str(file), "--root", str(Path(root).resolve()), *overrides, *data, *on_day]
