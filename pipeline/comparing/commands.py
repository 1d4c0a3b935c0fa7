"""`gatewise compare` and `gatewise tune`: the commands. They import TensorFlow and TFX inside the functions, so that --help is instant."""

from __future__ import annotations

import contextlib
import dataclasses
import shlex
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from models.recipe.errors import InputError
from pipeline.comparing.methods import Method, methods_of
from pipeline.comparing.searching import require_optuna
from pipeline.comparing.selection import Source, as_overrides, check_methods, every_architecture
from pipeline.day_option import DayOption, load_on_day
from pipeline.output import output_file, write_output

if TYPE_CHECKING:
    from rich.console import Console

    from pipeline.console import RunConsole
    from pipeline.run_paths import RunPaths

RecipeFile = Annotated[Path, typer.Argument(metavar="RECIPE", help="Recipe file, such as recipes/shop.yaml.")]
Root = Annotated[
    Path, typer.Option("--root", metavar="DIR", help="Folder of the runs; the data stages share their caches.")
]
Overrides = Annotated[
    list[str],
    typer.Option("--set", metavar="KEY=VALUE", help="Override one key of the recipe, for all methods. Repeatable."),
]
DataFolder = Annotated[
    str | None, typer.Option("--data", metavar="DIR", help="Folder or URL of the data files; overrides the recipe's.")
]
Jobs = Annotated[int | None, typer.Option(min=1, help="Processes at a time. Default: what cores and memory allow.")]
Write = Annotated[
    Path | None,
    typer.Option("--write", metavar="FILE.yaml", callback=output_file, help="Write the recipe of the best method."),
]


def compare(
    recipe: RecipeFile,
    architectures: Annotated[
        str,
        typer.Option(
            metavar="A,B,...", help="Architectures; all: every one that the recipe allows. Default: the recipe's."
        ),
    ] = "",
    balancers: Annotated[str, typer.Option(metavar="A,B,...", help="Balancers. Default: the recipe's.")] = "",
    backbones: Annotated[str, typer.Option(metavar="A,B,...", help="Backbones. Default: the recipe's.")] = "",
    trials: Annotated[
        int, typer.Option(min=0, help="Trials of the search for options, for each method. 0: the recipe's.")
    ] = 0,
    seeds: Annotated[
        int, typer.Option(min=2, help="Trainings of each method that are measured, with seeds of their own.")
    ] = 5,
    budget: Annotated[
        Literal["parameters", "flops", "none"],
        typer.Option(
            help="What is equal for all networks: parameters, multiply-adds of a prediction (flops), or nothing."
        ),
    ] = "parameters",
    jobs: Jobs = None,
    root: Root = Path("runs"),
    overrides: Overrides = [],  # noqa: B006
    data: DataFolder = None,
    day: DayOption = None,
    write: Write = None,
) -> None:
    """Compare methods on the same rows.

    Which one do these logs want, and how sure is that?

    Every combination of the names is trained with several seeds and as large a network as the recipe's own. Single-task twins, the shared
    bottom and fixed weights are always among them. The validate split decides everything; the eval split is read once for each frozen
    method. Differences have paired intervals over users and seeds, and "no difference" is an answer. Pushes nothing. A comparison that
    was stopped goes on where it was.

    Example: gatewise compare recipes/shop.yaml --architectures mmoe,ple,cross_stitch --seeds 5 --write best.yaml
    """
    own, given = load_on_day(recipe, overrides, data, day)
    source = Source(file=str(recipe), overrides=tuple(given), data=data)
    named = every_architecture(source) if architectures == "all" else _names(architectures)
    methods = methods_of(own, named, _names(backbones), _names(balancers))
    check_methods(source, methods)
    by_name = {method.named(own.model.backbone): method for method in methods}
    with _console(source, root, trials) as (console, where):
        from pipeline.comparing.comparison import Asked, compared, prepared, run_methods
        from pipeline.comparing.table import tables

        asked = Asked(source=source, methods=by_name, trials=trials, seeds=seeds, matched=budget, jobs=jobs)
        run = prepared(source, where, console)
        left = run_methods(asked, where, run, console.said)
        result, folder = compared(asked, left, where, run, shlex.join(["gatewise", *sys.argv[1:]]))
    for part in tables(result):
        _out().print(part)
    typer.echo(f"\nreport: {folder / 'compare.html'}\nresult: {folder / 'compare.json'}")
    chosen = result["chosen"]
    if write is not None:
        best = next(row for row in result["methods"] if row["name"] == chosen["method"])
        _write(_as_given(source, overrides), best["overrides"], write, f"{chosen['method']}. {chosen['why']}")
    for name, message in left.failed.items():
        typer.echo(f"gatewise: {name} failed: {message}", err=True)
    raise typer.Exit(1 if left.failed else 0)


def tune(
    recipe: RecipeFile,
    trials: Annotated[int, typer.Option(min=2, help="Trials. The first one has the recipe's values.")] = 20,
    root: Root = Path("runs"),
    overrides: Overrides = [],  # noqa: B006
    data: DataFolder = None,
    day: DayOption = None,
    write: Write = None,
) -> None:
    """Search for better options of a method.

    By the validation score. The eval split is not read.

    The first half of the trials draws learning rate, dropout and decays, the second half the options of the method. A trial that is not among
    the best third of those that came as far is stopped. The section `search` of the recipe sets ranges. A search that was stopped goes
    on where it was.

    Example: gatewise tune recipes/shop.yaml --trials 20 --write tuned.yaml
    """
    own, given = load_on_day(recipe, overrides, data, day)
    source = Source(file=str(recipe), overrides=tuple(given), data=data)
    method = Method(own.model.architecture, own.model.backbone, own.model.balancer)
    name = method.named(own.model.backbone)
    with _console(source, root, trials) as (console, where):
        from pipeline.comparing.comparison import Asked, prepared, run_methods

        asked = Asked(source=source, methods={name: method}, trials=trials, seeds=0, matched="none", jobs=1)
        left = run_methods(asked, where, prepared(source, where, console), console.said)
    if left.failed:
        raise InputError(f"{name}: {left.failed[name]}")
    from pipeline.comparing.trials_table import trials_table

    found = left.methods[name]["trials"]
    scores = [trial["score"] for trial in found if trial["score"] is not None]
    if not scores:
        raise InputError(
            f"{name}: no trial has a validation score. The validate split has no labels, or every training failed: {found[0]['error']}"
        )
    overrides_ = as_overrides(left.methods[name]["changes"])
    _out().print(trials_table(found))
    options = " ".join(shlex.join(["--set", override]) for override in overrides_)
    typer.echo(f"best: gatewise run {recipe} {options}" if options else "best: the recipe's values")
    if write is not None:
        why = f"Validation score {min(scores):.4f}, the best of {trials} trials; the recipe's values: {found[0]['score']:.4f}."
        _write(_as_given(source, overrides), overrides_, write, why)


@contextlib.contextmanager
def _console(source: Source, root: Path, trials: int) -> Iterator[tuple[RunConsole, RunPaths]]:
    """Checks what can be checked before the data are read, and opens the log."""
    recipe = source.recipe()
    if recipe.learns_from_blessed:
        raise InputError(
            "training.distill.teacher: a comparison has no blessed model to learn from. Name an architecture."
        )
    if trials:
        require_optuna()
    from pipeline.console import RunConsole
    from pipeline.run_paths import COMPARISON, run_paths

    where = run_paths(recipe, root)
    with RunConsole(recipe, where.logs, COMPARISON) as console:
        yield console, where


def _as_given(source: Source, overrides: Sequence[str]) -> Source:
    """The source without the day that the comparison read, which is not the written recipe's."""
    return dataclasses.replace(source, overrides=tuple(overrides))


def _write(source: Source, overrides: Sequence[str], file: Path, why: str) -> None:
    from pipeline.comparing.written import recipe_text

    write_output(file, recipe_text(source, overrides, file, why))
    typer.echo(f"recipe: {file}")


def _out() -> Console:
    from rich.console import Console

    return Console(highlight=False, markup=False)


def _names(listed: str) -> list[str]:
    return [name for name in (part.strip() for part in listed.split(",")) if name]
