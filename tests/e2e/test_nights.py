"""Three nights of the simulated shop by days: cold, warm, and the same day again from the cache; a rollback moves the ancestor."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from components.push.nights import STATE, Record, read_records
from models.features.ids import read_ids
from models.training.state import read_state

pytestmark = pytest.mark.slow

RECIPE = Path(__file__).resolve().parents[2] / "recipes" / "shop_days.yaml"
DAYS = ("2026-01-03", "2026-01-04", "2026-01-05")
SMALL = [
    part
    for one in (
        "split.train_last=2d",
        "model.options.mmoe={experts: 2, units: [8], tower_units: []}",
        "model.embedding_dim=4",
        "training.jit_compile=false",
        "training.epochs=1",
        *(f"tasks.{task}.gates=none" for task in ("click", "cart", "order")),
    )
    for part in ("--set", one)
]


@pytest.fixture(scope="module")
def nights(gatewise: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Callable[..., Any]]:
    """The root of three nights, and the command that runs a day."""
    folder = tmp_path_factory.mktemp("nights")
    logs, root = folder / "logs", folder / "runs"
    made = gatewise(
        "simulate", RECIPE, "--days", 5, "--impressions", 1500, "--births", 0.05, "--seed", 3, "--out", logs
    )
    assert made.code == 0, made.err

    def run(day: str, *more: object) -> Any:
        return gatewise(
            "run", RECIPE, "--root", root, "--data", logs, "--day", day, *SMALL, "--json", folder / "night.json", *more
        )

    for day in DAYS:
        done = run(day)
        assert done.code == 0, done.err[-3000:]
    return root, run


def _records(root: Path) -> list[Record]:
    return list(read_records(root / "states" / "shop_days").values())


def test_each_night_goes_on_from_the_last(nights: tuple[Path, Callable[..., Any]]) -> None:
    root, _ = nights
    found = _records(root)
    assert [(one.day, one.start, one.pushed) for one in found] == [
        (DAYS[0], "cold", True),
        (DAYS[1], "warm", True),
        (DAYS[2], "warm", True),
    ]
    assert [one.ancestor for one in found] == [None, found[0].version, found[1].version]
    assert [one.cursor.until for one in found] == sorted({one.cursor.until for one in found})
    states = [root / "states" / "shop_days" / str(one.version) / STATE for one in found]
    steps = [int(read_state(state).variables["optimizer:Adam/iterations"]) for state in states]
    assert 0 < steps[0] < steps[1] < steps[2]
    ledgers = [read_ids(state / "features") for state in states]
    for old, new in itertools.pairwise(ledgers):
        assert old.capacities == new.capacities
        kept = old.of_table("item_id").filter(pl.col("row") >= 0).join(new.of_table("item_id"), on="value")
        assert kept.height > 0 and (kept["row"] == kept["row_right"]).all()
    # New items have come, and have rows.
    assert len(ledgers[2].vocabulary("item_id")) > len(ledgers[0].vocabulary("item_id"))


def test_a_label_is_learned_by_one_night(nights: tuple[Path, Callable[..., Any]]) -> None:
    root, _ = nights
    folders = sorted(
        (root / "shop_days" / "artifacts" / "EventLogs" / "examples").iterdir(), key=lambda path: int(path.name)
    )
    for task in ("click", "cart", "order"):
        columns = [pl.col("gatewise/example_id"), pl.col(f"weight/{task}")]
        learned = [
            pl.read_parquet(folder / "Split-train" / "*.parquet")
            .select(columns)
            .explode(pl.all())
            .filter(pl.col(f"weight/{task}") > 0)
            for folder in folders
        ]
        ids = pl.concat(learned)["gatewise/example_id"]
        assert len(ids) == ids.n_unique() and all(len(one) for one in learned)


def test_the_same_day_comes_from_the_cache_and_a_rollback_moves_the_ancestor(
    nights: tuple[Path, Callable[..., Any]], gatewise: Callable[..., Any]
) -> None:
    root, run = nights
    again = run(DAYS[2])
    assert again.code == 0 and again.result["all_cached"], again.err[-2000:]
    assert f"night: {DAYS[2]}, goes on from version" in again.err
    versions = [one.version for one in _records(root)]
    served = root / "serving" / "shop_days"
    assert gatewise("rollback", served, versions[0], "--reason", "clicks fell").code == 0
    later = gatewise("validate", RECIPE, "--day", DAYS[2])
    assert later.code == 0
    from components.push.nights import night_of
    from models.recipe.file import load_recipe

    recipe = load_recipe(RECIPE, ["logs.day=2026-01-06"])
    found = night_of(recipe, served, root / "states" / "shop_days")
    assert found is not None and found.ancestor == versions[0]
    assert gatewise("rollback", served, "--undo").code == 0
    found = night_of(recipe, served, root / "states" / "shop_days")
    assert found is not None and found.ancestor == versions[2]


def test_the_report_and_the_list_of_versions_show_the_nights(
    nights: tuple[Path, Callable[..., Any]], gatewise: Callable[..., Any], tmp_path: Path
) -> None:
    root, _ = nights
    page = tmp_path / "page.html"
    done = gatewise("report", root / "shop_days", "--out", page)
    assert done.code == 0, done.err
    assert ">Nights<" in page.read_text() and "2026-01-04" in page.read_text()
    listed = gatewise("versions", root)
    assert listed.code == 0 and all(day in listed.out for day in DAYS)
