"""`gatewise runs ...`: the commands. They read the records of the runs; only the paired comparison imports polars and SciPy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
import typer.core

from models.recipe.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console


class _ListByDefault(typer.core.TyperGroup):
    """A group whose command is `list` if the first word names none."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Inserts `list`."""
        named = args[:1] == ["--help"] or (args[:1] and args[0] in self.commands)
        return super().parse_args(ctx, args if named else ["list", *args])


app = typer.Typer(
    name="runs",
    cls=_ListByDefault,
    help="List and compare runs.\n\n"
    "By the records that they keep in ROOT/RECIPE/logs.\n\n"
    "gatewise runs [ROOT] is short for gatewise runs list [ROOT]. Example: gatewise runs diff RUN_A RUN_B runs",
    rich_markup_mode=None,
)

Root = Annotated[Path, typer.Argument(metavar="ROOT", help="--root of runs, or one recipe's folder in it.")]
Run = Annotated[str, typer.Argument(help="Id of a run, as gatewise runs shows it, or an unambiguous beginning of one.")]


@app.command(name="list")
def list_runs(
    root: Root = Path("runs"),
    recipe: Annotated[
        str | None, typer.Option("--recipe", metavar="NAME", help="Only the runs of this recipe.")
    ] = None,
    task: Annotated[
        str | None, typer.Option("--task", metavar="NAME", help="Show this task only, the best run first.")
    ] = None,
    metric: Annotated[
        str | None,
        typer.Option("--metric", metavar="NAME", help="Metric of --task to sort by. Default: the task's first one."),
    ] = None,
    last: Annotated[int | None, typer.Option("--last", metavar="N", min=1, help="Only the newest N runs.")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the whole record of each run as a line of JSON.")
    ] = False,
) -> None:
    """List the runs, newest first: outcome, main metric of each task, seconds, and what --set and --data changed.

    The outcome is pushed, already pushed, blessed (an experiment), not blessed, failed, interrupted, killed or running.

    Example: gatewise runs list runs --task click --metric log_loss --last 20
    """
    from pipeline.output import write_lines
    from pipeline.run_list import selected, table
    from pipeline.run_records import read_records

    if metric is not None and task is None:
        raise InputError(f"--metric {metric}: metrics belong to tasks. Add --task NAME.")
    found = selected(read_records(root), recipe=recipe, task=task, metric=metric, last=last)
    if as_json:
        write_lines(found, None)
    else:
        _console().print(table(found, task, metric))


@app.command()
def diff(a: Run, b: Run, root: Root = Path("runs")) -> None:
    """Compare two runs: recipe keys, code and data that differ, and the metrics side by side.

    If both predicted the same eval examples, each metric has the gain of B over A with its 95 % interval: the paired
    comparison, which sees far smaller differences than two separate intervals. The interval covers the choice of the eval
    examples, not the seed of the training.

    Example: gatewise runs diff 20260115-093000-411 20260115-101500-977 runs
    """
    from pipeline.run_diff_tables import tables
    from pipeline.run_pairs import paired_metrics
    from pipeline.run_records import find, read_records

    records = read_records(root)
    first, second = find(records, a), find(records, b)
    pairs = paired_metrics(first, second)
    out = _console()
    for one in tables(first, second, pairs.found):
        out.print(one)
    for line in pairs.why_not:
        out.print(line, soft_wrap=True)


def _console() -> Console:
    """The tables need 140 columns, also where the terminal has fewer."""
    from rich.console import Console

    return Console(highlight=False, markup=False, width=max(140, Console().width))
