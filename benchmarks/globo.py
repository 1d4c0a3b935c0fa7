"""The retrieval model on real news: 3 million clicks of Globo.com, of which the last two days are the eval split.

python -m benchmarks.globo --data path/to/folder

Reads globo_clicks.parquet (the publisher's hourly files as one), writes the logs of benchmarks/globo.yaml, runs the whole
recipe and compares the retrieval model with the baselines.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import polars as pl
import typer

from benchmarks.session import WORK, Work
from components.storage.writing import whole_file
from models.recipe.errors import InputError
from models.recipe.file import load_recipe
from pipeline.console import RunConsole
from pipeline.run_paths import run_paths

RECIPE = Path(__file__).with_name("globo.yaml")
CLICKS = "globo_clicks.parquet"
SESSION_MS, DAY_MS = 30 * 60_000, 24 * 3_600_000

_COLUMNS = {
    "user_id": "user_id",
    "click_article_id": "article",
    "click_timestamp": "time",
    "click_environment": "environment",
    "click_deviceGroup": "device_group",
    "click_os": "os",
    "click_country": "country",
    "click_region": "region",
    "click_referrer_type": "referrer",
}


def prepare(clicks: pl.DataFrame, folder: Path) -> None:
    """Writes the recipe's three streams.

    clicks.parquet: every click. read_on.parquet: for each click followed by another of the reader within half an hour, the
    key of the first and the time of the second. return.parquet: the same of the first click after more than half an hour,
    within a day.

    Args:
        clicks: with the publisher's columns.
        folder: is made.

    Raises:
        InputError: columns are missing.
    """
    if missing := [name for name in _COLUMNS if name not in clicks.columns]:
        raise InputError(f"{CLICKS}: expected the columns {', '.join(_COLUMNS)}; missing: {', '.join(missing)}.")
    chosen = (
        clicks.select(pl.col(old).alias(new) for old, new in _COLUMNS.items())
        .unique()
        .sort("user_id", "time", "article")
    )
    following = pl.col("time").shift(-1).over("user_id")
    lag = following - pl.col("time")
    key = ["user_id", "article"]
    pairs = chosen.select(*key, lag=lag, time=following).drop_nulls()
    streams = {
        "clicks": chosen.sort("time", "user_id", "article"),
        "read_on": pairs.filter(pl.col("lag").is_between(1, SESSION_MS)).drop("lag"),
        "return": pairs.filter(pl.col("lag").is_between(SESSION_MS + 1, DAY_MS)).drop("lag"),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, frame in streams.items():
        with whole_file(str(folder / f"{name}.parquet")) as temporary:
            frame.write_parquet(temporary)


def main(
    data: Annotated[Path, typer.Option(metavar="DIR", help=f"Folder with {CLICKS}.")],
    work: Work = WORK,
    overrides: Annotated[list[str], typer.Option("--set", metavar="KEY=VALUE", help="Another value for a key.")] = [],  # noqa: B006
) -> None:
    """Prepare the logs, run the recipe, and print the closing tables."""
    if not (data / CLICKS).is_file():
        raise SystemExit(
            f"{data / CLICKS}: no such file. It contains Globo.com's clicks, which the publisher provides for research."
        )
    logs = work / "globo-logs"
    prepare(pl.read_parquet(data / CLICKS), logs)
    recipe = load_recipe(RECIPE, overrides, str(logs.resolve()))
    where = run_paths(recipe, work / "globo")
    with RunConsole(recipe, where.logs) as console:
        from pipeline.local_runner import run_pipeline
        from pipeline.summary import summarise

        console.show(summarise(run_pipeline(recipe, where, console)), where)


if __name__ == "__main__":
    typer.run(main)
