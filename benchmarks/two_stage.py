"""Retrieval and ranking together against the truth: which of a shopper's 100 best items are in the list of 100?

python -m benchmarks.two_stage --rows 1000000
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks.figures import append_history
from benchmarks.machine import stamp
from benchmarks.session import HISTORY, WORK, History, Rows, Seed, Work
from benchmarks.two_stage_lists import Worth, among, best, compare, held
from components.interactions.item_table import POSITIVES
from models.recipe.errors import InputError
from models.recipe.file import load_recipe
from models.recipe.recipe import Recipe
from pipeline.console import RunConsole
from pipeline.lineage import Run
from pipeline.run_paths import run_paths
from pipeline.simulate import DIRT, simulate
from pipeline.simulate_affinity import Shop, true_score
from pipeline.simulate_streams import BEST_ITEMS

RECIPE = Path(__file__).parents[1] / "recipes" / "shop.yaml"
K = 100
TWO_STAGES = "retrieval, then the ranker"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Found:
    """What came of it.

    Attributes:
        lines: of the table.
        items, visitors, candidates: how many.
        held: share of the true best items among the candidates.
        k: length of the lists.
        failed_gates: of the run, in words.
    """

    lines: Sequence[Worth]
    items: int
    visitors: int
    candidates: int
    held: float
    k: int
    failed_gates: Sequence[str]


def run(
    work: Path, rows: int, visitors: int, seed: int, conflict: float = 0.0, overrides: Sequence[str] = (), k: int = K
) -> Found:
    """Simulates the shop, runs its recipe and asks both models, and others, for lists.

    Args:
        work: folder for logs and runs; those of the same sizes are used again.
        rows: impressions.
        visitors: users who are asked about, drawn from all with an impression; fewer if there are not so many.
        seed: of the logs and of who is drawn.
        conflict: of the logs.
        overrides: of the recipe.
        k: length of the lists.
    """
    folder = work.resolve() / f"two-stage-{rows}-{seed}-{conflict:g}"
    recipe = load_recipe(RECIPE, overrides, str(folder / "logs"))
    # Logs of an earlier version have no truly best items.
    if not all((folder / "logs" / name).exists() for name in (DIRT, BEST_ITEMS)):
        simulate(folder / "logs", rows, seed, conflict=conflict, score=true_score(recipe))
    made, failed = _run(recipe, folder / "runs")
    return ask(recipe, made, Shop(rows, seed, conflict), visitors, seed, k, failed)


def _run(recipe: Recipe, root: Path) -> tuple[Run, Sequence[str]]:
    where = run_paths(recipe, root)
    with RunConsole(recipe, where.logs) as console:
        from pipeline.local_runner import run_pipeline
        from pipeline.summary import summarise

        made = run_pipeline(recipe, where, console)
    return made, summarise(made)["failed_gates"]


def ask(
    recipe: Recipe, made: Run, shop: Shop, visitors: int, seed: int, k: int = K, failed: Sequence[str] = ()
) -> Found:
    """The lists of every method for some visitors, and what they are worth.

    All methods have the same items to choose from: those of the retrieval model's item table. Models that a gate held
    back are asked all the same.

    Args:
        recipe: with a section `retrieval`.
        made: a run of it over the shop's logs.
        shop: the shop.
        visitors, seed, k: as for `run`.
        failed: gates that did not hold.

    Raises:
        InputError: the recipe has no section `retrieval`.
    """
    from tfx.utils import path_utils

    from benchmarks.two_stage_models import BothModels, item_numbers, visitor_rows

    if recipe.retrieval is None:
        raise InputError("retrieval: the recipe has no such section; expected one, as in recipes/shop.yaml.")
    ranker, retrieval = (
        Path(path_utils.serving_model_path(str(made.artifacts[f"{stage}.model"])))
        for stage in ("Trainer", "RetrievalTrainer")
    )
    models = BothModels(ranker, retrieval)
    users = drawn(np.unique(shop.logged.user), visitors, seed)
    visits = shop.last_visits(users)
    rows = visitor_rows(shop, visits, recipe.retrieval.user, recipe.retrieval.history)
    values = shop.values(visits, item_numbers(shop, models.items), true_score(recipe))
    candidates, scores = models.retrieved(rows), models.ranked(rows)
    table = made.artifacts["Interactions.interactions"] / "Split-eval_items" / "items.parquet"
    popular = popularity(pq.read_table(table), recipe.retrieval.item, models.items)
    random = np.random.default_rng([seed, 1])
    methods = {
        "random": best(random.random(values.shape), k),
        "most popular": _alike(popular, len(users), k),
        "one list for all, by the truth": _alike(values.mean(axis=0), len(users), k),
        "retrieval alone": candidates[:, :k],
        TWO_STAGES: best(among(scores, candidates), k),
        "the ranker over all items": best(scores, k),
    }
    return Found(
        lines=compare(methods, values, k),
        items=len(models.items),
        visitors=len(users),
        candidates=candidates.shape[1],
        held=held(candidates, best(values, k)),
        k=k,
        failed_gates=failed,
    )


def drawn(users: NDArray[np.int64], most: int, seed: int) -> NDArray[np.int64]:
    """At most so many of the users, in rising order."""
    chosen = np.random.default_rng([seed, 0]).permutation(users)[:most]
    return np.sort(chosen)


def popularity(table: pa.Table, item: str, ids: pa.Array) -> NDArray[np.int64]:
    """(item,) positives of each id before the eval split begins; 0 for one that was not shown before.

    Args:
        table: the item table of that moment.
        item: the column that names the items.
        ids: those wanted.
    """
    places = pc.index_in(ids, table[item].combine_chunks().cast(ids.type))
    found: NDArray[np.int64] = pc.fill_null(table[POSITIVES].take(places), 0).to_numpy()
    return found


def _alike(scores: NDArray[Any], visitors: int, k: int) -> NDArray[np.int32]:
    """The same list for all."""
    return np.repeat(best(scores[None].astype(np.float64), k), visitors, axis=0)


def table(found: Found) -> Table:
    """As rich prints it."""
    shown = Table(title="two_stage", title_justify="left")
    shown.add_column(f"{found.k} items by")
    for name in (f"recall@{found.k}", f"value@{found.k}", "coverage"):
        shown.add_column(name, justify="right")
    for line in found.lines:
        shown.add_row(line.method, f"{line.recall:.3f}", f"{line.value:.3f}", f"{line.coverage:.0%}")
    return shown


def notes(found: Found) -> list[str]:
    """Sentences below the table."""
    return [
        f"{found.visitors:,} visitors, {found.items:,} items. recall: share of a visitor's truly best {found.k} that are in "
        f"the list; value: what the list is truly worth, by what the truly best {found.k} are.",
        f"The {found.candidates:,} candidates hold {found.held:.1%} of the truly best {found.k}: a perfect ranker's recall.",
        *(f"A gate did not hold: {message}" for message in found.failed_gates),
    ]


def entry(found: Found, settings: dict[str, Any]) -> dict[str, Any]:
    """The line of the history."""
    return {
        "benchmark": "two_stage",
        **dataclasses.asdict(found),
        "settings": settings,
        **stamp(),
    }


def main(
    rows: Rows = 200_000,
    visitors: Annotated[int, typer.Option(min=1, help="Users who are asked about.")] = 2_000,
    seed: Seed = 7,
    conflict: Annotated[float, typer.Option(min=0.0, max=1.0, help="0: the tasks agree; 1: they oppose.")] = 0.0,
    overrides: Annotated[list[str], typer.Option("--set", metavar="KEY=VALUE", help="Another value for a key.")] = [],  # noqa: B006
    work: Work = WORK,
    history: History = HISTORY,
) -> None:
    """Hold lists of 100 items against the truth of the simulated shop.

    The shop of so many impressions, and a run of recipes/shop.yaml over it. Visitors are asked about where and when they
    were last seen, in position 1; what an item is worth to them is the recipe's score over the true probabilities.
    """
    found = run(work, rows, visitors, seed, conflict, overrides)
    settings = {"rows": rows, "visitors": visitors, "seed": seed, "conflict": conflict, "overrides": overrides}
    append_history(history, [entry(found, settings)])
    console = Console(highlight=False, width=120)
    console.print(table(found))
    for note in notes(found):
        console.print(note, markup=False)


if __name__ == "__main__":
    typer.run(main)
