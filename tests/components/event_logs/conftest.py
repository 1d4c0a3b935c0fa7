"""Small logs, the recipes that read them, and the stage run on them in this process."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import apache_beam as beam
import polars as pl
import pytest

from components.event_logs import pipeline
from components.event_logs.plan import EventLogsPlan
from components.example_schema import SPLITS
from models.recipe.recipe import Recipe

DAY = 86_400
START = 1_700_000_000


@pytest.fixture
def shop_recipe(tmp_path: Path) -> Callable[..., Recipe]:
    """A recipe over impressions and clicks of (user, item), time in seconds, with any part replaced."""

    def make(**changes: Any) -> Recipe:
        streams = {
            name: {"path": f"{name}.*", "key": ["user", "item"], "time": {"column": "time", "unit": "s"}}
            for name in ("impression", "click")
        }
        for name, changed in changes.pop("streams", {}).items():
            streams.setdefault(
                name, {"path": f"{name}.*", "key": ["user", "item"], "time": {"column": "time", "unit": "s"}}
            )
            streams[name] |= changed
        fields: dict[str, Any] = {
            "name": "shop",
            "data": str(tmp_path),
            "logs": {"impressions": "impression", "streams": streams} | changes.pop("logs", {}),
            "split": {"eval_fraction": 0.5},
            "features": {"user": {"kind": "categorical"}},
            # Most of the small logs end with a window that is still open.
            "tasks": {"click": {"kind": "binary", "outcome": "click", "window": "1d", "unmeasured": "allow"}},
        }
        return Recipe.model_validate(fields | changes)

    return make


@pytest.fixture
def write_log(tmp_path: Path) -> Callable[..., Path]:
    """Writes rows as one file: `write_log("click.csv", rows)`; a text is written as it is."""

    def write(name: str, rows: list[dict[str, Any]] | pl.DataFrame | str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(rows, str):
            path.write_text(rows)
            return path
        frame = rows if isinstance(rows, pl.DataFrame) else pl.DataFrame(rows, infer_schema_length=None)
        writers = {".parquet": frame.write_parquet, ".csv": frame.write_csv, ".jsonl": frame.write_ndjson}
        writers[path.suffix](path)
        return path

    return write


@pytest.fixture
def shop_log(write_log: Callable[..., Path]) -> Callable[..., None]:
    """Ten users see item 1 a day apart; every second clicks ten seconds later. `ending` chooses the format."""

    def write(ending: str = "parquet", **clicks: Any) -> None:
        seen = [{"user": user, "item": 1, "time": START + user * DAY} for user in range(10)]
        done = [{"user": user, "item": 1, "time": START + user * DAY + 10} for user in range(0, 10, 2)]
        write_log(f"impression.{ending}", seen)
        write_log(f"click.{ending}", done)

    return write


@pytest.fixture
def run_stage(tmp_path: Path) -> Callable[..., SimpleNamespace]:
    """Runs the stage on a recipe or plan: its accounts, summary, dead letters and the examples of each split."""

    def run(recipe: Recipe | EventLogsPlan, name: str = "out") -> SimpleNamespace:
        plan = EventLogsPlan.from_recipe(recipe) if isinstance(recipe, Recipe) else recipe
        folder = tmp_path / "outputs" / name
        accounts = pipeline.run(plan, str(folder), lambda: beam.Pipeline(runner="FnApiRunner"))
        splits = {}
        for split in SPLITS:
            splits[split] = pl.read_parquet(sorted((folder / f"Split-{split}").glob("*.parquet")))
        return SimpleNamespace(
            folder=folder,
            accounts=accounts,
            splits=splits,
            examples=pl.concat(splits.values()).sort("gatewise/example_id"),
            dead=pl.read_parquet(sorted((folder / "dead_letters").glob("part-*.parquet"))),
            summary=json.loads((folder / "summary.json").read_text()),
        )

    return run


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real logs beside the repository; tests that need it skip without it."""
    folder = Path(__file__).resolve().parents[4] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"the real logs are not here: {folder} does not exist")
    return folder
