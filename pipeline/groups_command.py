"""`gatewise groups`: the command. It reads the records of the runs and imports neither TensorFlow nor polars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from pipeline.group_recipe import GroupRecipe
    from pipeline.task_groups import Group


def groups(
    root: Annotated[Path, typer.Argument(metavar="ROOT", help="--root of runs, or one recipe's folder in it.")] = Path(
        "runs"
    ),
    run: Annotated[
        str | None,
        typer.Option("--run", metavar="ID", help="Run to read. Default: the newest that has measured affinities."),
    ] = None,
    networks: Annotated[int, typer.Option("--networks", metavar="N", min=1, help="Largest number of models.")] = 2,
    write: Annotated[
        Path | None,
        typer.Option(
            "--write", metavar="DIR", help="Write a recipe of each group, and which model answers which task."
        ),
    ] = None,
) -> None:
    """Show which tasks to train together in one model.

    In at most N models, by the affinities that a run has measured. Writes their recipes.

    A run measures affinities with gatewise run RECIPE --set training.affinity_every=10 --no-push. The recipes are RECIPE's, each with
    the tasks of one group: a task that the group trains and does not serve is auxiliary. Edit, run and compare them.

    Example: gatewise groups runs --networks 2 --write recipes/groups
    """
    from rich.console import Console

    from pipeline.group_files import blend, recipes_of, write_files
    from pipeline.run_affinities import affinities_of, recipe_of
    from pipeline.run_records import read_records
    from pipeline.task_groups import best_groups, total_affinity

    record, found = affinities_of(read_records(root), run)
    ran, means = recipe_of(record), found["means"]
    best = best_groups(means, networks, ran.recipe.main_tasks)
    recipes = recipes_of(ran, best)
    files = [] if write is None else write_files(write, ran, recipes, record["id"])
    # As wide as the tables, also where the terminal is not.
    out = Console(highlight=False, markup=False, width=max(140, Console().width))
    out.print(_matrix(f"Affinities of run {record['id']} ({record['recipe']})", means))
    out.print(_table(means, best, recipes))
    everything = total_affinity(means, best_groups(means, 1, ran.recipe.main_tasks))
    out.print(f"In all {total_affinity(means, best):+.2e}; the best single model {everything:+.2e}.")
    for one in recipes:
        for note in one.notes:
            out.print(f"{one.name}: {note}", soft_wrap=True)
    if ran.recipe.retrieval is not None and not any("retrieval" in one.values for one in recipes):
        out.print(
            f"No group has all tasks of the retrieval model: train it with the recipe {ran.recipe.name}.",
            soft_wrap=True,
        )
    if len(recipes) > 1:
        answers = blend(ran, recipes, record["id"])
        out.print(f"Score over the predictions of {', '.join(answers['models'])}: {answers['score']}", soft_wrap=True)
    for file in files:
        out.print(f"{file}: written", soft_wrap=True)


def _matrix(title: str, means: Mapping[str, Mapping[str, float]]) -> Table:
    """One row for each task that a step is for, one column for each task whose loss it changes."""
    from rich.table import Table

    made = Table(title=title, title_justify="left")
    made.add_column("step for, onto")
    for task in means:
        made.add_column(task, justify="right", no_wrap=True)
    for task, onto in means.items():
        made.add_row(task, *(f"{onto[other]:+.2e}" if other in onto else "-" for other in means))
    return made


def _table(means: Mapping[str, Any], best: Sequence[Group], recipes: Sequence[GroupRecipe]) -> Table:
    """One row for each group. Its affinity is the sum over the tasks that it serves, each the mean over the other tasks that it trains."""
    from rich.table import Table

    from pipeline.task_groups import total_affinity

    made = Table(title="Best groups", title_justify="left")
    for name in ("recipe", "serves", "also trains"):
        made.add_column(name, overflow="fold")
    made.add_column("affinity", justify="right", no_wrap=True)
    for group, one in zip(best, recipes, strict=True):
        helpers = [task for task in one.group.tasks if task not in one.group.served]
        worth = f"{total_affinity(means, [group]):+.2e}"
        made.add_row(one.name, ", ".join(one.group.served), ", ".join(helpers) or "-", worth)
    return made
