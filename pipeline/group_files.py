"""The files of `gatewise groups --write`: a recipe of each group, and which model answers which task."""

from __future__ import annotations

import json
import tempfile
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from models.recipe.errors import InputError
from models.recipe.file import load_recipe
from pipeline.group_recipe import GroupRecipe, group_recipe, keeps_retrieval
from pipeline.output import require_folder, write_output
from pipeline.recipe_text import with_paths_from
from pipeline.run_affinities import RanRecipe
from pipeline.task_groups import Group
from pipeline.yaml_edits import dumped, with_values


def recipes_of(ran: RanRecipe, groups: Sequence[Group]) -> tuple[GroupRecipe, ...]:
    """The recipe of each group. The first group that has all tasks of the retrieval model trains it."""
    keeper = next((number for number, group in enumerate(groups, 1) if keeps_retrieval(ran.recipe, group)), None)
    return tuple(
        group_recipe(ran.values, ran.recipe, group, number, retrieval=number == keeper)
        for number, group in enumerate(groups, 1)
    )


def blend(ran: RanRecipe, recipes: Sequence[GroupRecipe], run: str) -> dict[str, Any]:
    """Which model answers which task, and how the score follows.

    Returns:
        {"run", "models": {name of the served model: its tasks}, "score": formula of these tasks, "weights": {name: value}}
    """
    serving = ran.recipe.serving
    models = {one.values.get("serving", {}).get("model_name") or one.name: list(one.group.served) for one in recipes}
    return {
        "run": run,
        "models": models,
        "score": serving.score or next(iter(ran.recipe.main_tasks)),
        "weights": dict(serving.weights),
    }


def write_files(folder: Path, ran: RanRecipe, recipes: Sequence[GroupRecipe], run: str) -> list[Path]:
    """Writes the recipes, after all of them have been checked, and NAME_groups.json with `blend`.

    Raises:
        InputError: a recipe is refused, a file exists and is another one, or cannot be written. Nothing is written in the first two
            cases.
    """
    require_folder(folder)
    texts = {f"{one.name}.yaml": _text(folder, ran, one, len(recipes), run) for one in recipes}
    with tempfile.TemporaryDirectory() as beside:
        for number, (name, text) in enumerate(texts.items(), 1):
            _check(Path(beside) / name, text, number, ran)
    texts[f"{ran.recipe.name}_groups.json"] = json.dumps(blend(ran, recipes, run), indent=1, ensure_ascii=False) + "\n"
    older = [*folder.glob(f"{ran.recipe.name}_group_[0-9]*.yaml"), *folder.glob(f"{ran.recipe.name}_groups.json")]
    for file in sorted(older):
        if file.read_bytes() != texts.get(file.name, "").encode():
            raise InputError(f"{file}: exists, and may have been edited. Move it away, or write to another folder.")
    for name, text in texts.items():
        write_output(folder / name, text)
    return [folder / name for name in texts]


def _text(folder: Path, ran: RanRecipe, one: GroupRecipe, count: int, run: str) -> str:
    values = with_paths_from(folder, ran.file, ran.recipe, one.values)
    body = with_values(ran.text, values) if ran.text is not None else dumped(values)
    helpers = [task for task in one.group.tasks if task not in one.group.served]
    number = one.name.rpartition("_")[2]
    said = [
        f"Group {number} of {count} of the tasks of {ran.recipe.name}, by the affinities that run {run} measured (gatewise groups).",
        f"Serves {', '.join(one.group.served)}." + (f" Also trains {', '.join(helpers)}." if helpers else ""),
        *one.notes,
    ]
    if ran.text is None:
        said.append(
            f"{ran.file} is gone or has changed since the run; this is the recipe as it was, without its comments."
        )
    lines = [line for part in said for line in textwrap.wrap(part, 118, break_long_words=False, break_on_hyphens=False)]
    return "".join(f"# {line}\n" for line in lines) + "\n" + body


def _check(file: Path, text: str, number: int, ran: RanRecipe) -> None:
    """Loads the recipe from a temporary file, from where its relative paths lead nowhere."""
    file.write_text(text, encoding="utf-8")
    schema = ran.recipe.validation.schema_path
    try:
        load_recipe(file, [f"validation.schema={json.dumps(schema)}"] if schema else [], ran.recipe.data)
    except InputError as error:
        said = str(error).replace(str(file), file.name)
        raise InputError(
            f"group {number} cannot be a recipe of its own, so nothing is written:\n{said}\nTry another number of --networks, or "
            "measure the affinities with methods that do not need the tasks outside of the group."
        ) from None
