"""Simulated logs by day: the folders, the books, and days that do not depend on how many follow."""

from __future__ import annotations

import datetime
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from models.recipe.errors import InputError
from models.recipe.file import load_recipe
from pipeline import cli
from pipeline.simulate import SimulationSummary
from pipeline.simulate_affinity import true_score
from pipeline.simulate_days import simulate_days
from pipeline.simulate_dirt import FAR_FUTURE_MS
from pipeline.simulate_events import WINDOWS_MS
from pipeline.simulate_faults import parse_faults
from pipeline.simulate_recipe import settings_by_day
from pipeline.simulate_shop import DAY_MS, START, START_MS
from pipeline.simulate_world import Dials

SHOP = Path(__file__).parents[2] / "recipes" / "shop.yaml"
KEY = ["user_id", "item_id"]
IDS = {
    "impressions": "impression_id",
    "clicks": "click_id",
    "dwell": "dwell_id",
    "carts": "cart_id",
    "orders": "order_id",
}
DAYS = 12
SIZES: dict[str, Any] = {"impressions": 2_000, "seed": 4}
ALL = Dials(births=0.02, drift=0.2, rhythm=1.0)


def day_name(number: int) -> str:
    return str(START + datetime.timedelta(days=number))


def read(folder: Path, stream: str) -> pl.DataFrame:
    """All rows of a stream, and the number of the day of their folder."""
    parts = sorted((folder / stream).glob("dt=*/part-*.parquet"))
    days = [datetime.date.fromisoformat(part.parent.name.removeprefix("dt=")) for part in parts]
    return pl.concat(
        pl.read_parquet(part, hive_partitioning=False).with_columns(folder=pl.lit((day - START).days, pl.Int64))
        for part, day in zip(parts, days, strict=True)
    )


def files(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*.parquet"))
    }


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> SimulationSummary:
    return simulate_days(tmp_path_factory.mktemp("clean") / "logs", days=DAYS, dirt=0.0, dials=ALL, **SIZES)


@pytest.fixture(scope="module")
def dirty(tmp_path_factory: pytest.TempPathFactory) -> SimulationSummary:
    return simulate_days(tmp_path_factory.mktemp("dirty") / "logs", days=DAYS, dirt=0.1, dials=ALL, **SIZES)


def test_the_first_days_are_the_same_bytes_for_any_later_end(dirty: SimulationSummary, tmp_path: Path) -> None:
    short = simulate_days(tmp_path / "logs", days=5, dirt=0.1, dials=ALL, **SIZES)
    first = {day_name(number) for number in range(5)}
    expected = {name: digest for name, digest in files(dirty.out).items() if Path(name).parts[1][3:] in first}
    assert len(expected) == 5 * 6 and files(short.out) == expected
    assert (short.as_of, short.last_day) == ("2026-01-06T00:00:00Z", datetime.date(2026, 1, 5))


def test_the_same_arguments_give_the_same_bytes_and_other_seeds_do_not(tmp_path: Path) -> None:
    first, second, other = (
        files(simulate_days(tmp_path / name, 300, seed, 3, dials=ALL).out)
        for name, seed in (("a", 2**63 - 1), ("b", 2**63 - 1), ("c", 1))
    )
    assert first == second and not set(first.values()) & set(other.values())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "c"], "no temporary folder stays"


def test_every_folder_has_one_file_and_the_rows_of_its_day_by_time(clean: SimulationSummary) -> None:
    expected = {f"{stream}/dt={day_name(day)}/part-0.parquet" for stream in (*IDS, "truth") for day in range(DAYS)}
    assert set(files(clean.out)) == expected
    for stream, id_name in IDS.items():
        rows = read(clean.out, stream)
        assert rows.height == clean.rows[stream] > 100
        assert rows["folder"].to_list() == ((rows["timestamp"] - START_MS) // DAY_MS).to_list()
        assert rows["timestamp"].is_sorted() and rows[id_name].is_unique().all()


def test_every_impression_has_its_truth_in_the_same_day(clean: SimulationSummary) -> None:
    shown, known = read(clean.out, "impressions"), read(clean.out, "truth")
    assert shown.select("impression_id", "folder").equals(known.select("impression_id", "folder"))


def test_outcomes_of_a_day_are_in_the_folder_of_the_next(clean: SimulationSummary) -> None:
    """Each outcome has exactly one impression in its window, and some of the windows end on a later day."""
    shown = read(clean.out, "impressions").select("impression_id", *KEY, seen="timestamp", seen_on="folder")
    later = {}
    for stream, id_name in list(IDS.items())[1:]:
        rows = read(clean.out, stream).join(shown, on=KEY, how="left")
        delay = pl.col("timestamp") - pl.col("seen")
        credited = rows.filter(delay.is_between(0, WINDOWS_MS[stream] - 1))
        assert credited.height == credited[id_name].n_unique() == clean.rows[stream]
        later[stream] = credited.select((pl.col("folder") - pl.col("seen_on")).value_counts(sort=True)).height
    assert (later["carts"], later["orders"]) == (2, 3)


def test_a_user_sees_an_item_again_only_after_a_week(clean: SimulationSummary) -> None:
    shown = read(clean.out, "impressions").sort("timestamp")
    gap = shown.select(pl.col("folder").diff().over(KEY).drop_nulls())["folder"]
    assert gap.min() == 8, "and then some do"


def test_planted_rows_are_what_the_accounts_say(dirty: SimulationSummary) -> None:
    accounts = json.loads((dirty.out / "dirt.json").read_text())
    assert (accounts["first_day"], accounts["days"]) == ("2026-01-01", DAYS)
    shown = read(dirty.out, "impressions")
    good = (
        shown.drop_nulls(["user_id", "timestamp"]).filter(pl.col("timestamp") < FAR_FUTURE_MS).unique("impression_id")
    )
    for stream, id_name in IDS.items():
        rows, planted = read(dirty.out, stream), accounts["planted"][stream]
        assert rows.height == accounts["rows"][stream] == sum(planted.values())
        broken = pl.col("user_id").is_null() | pl.col("timestamp").is_null() | (pl.col("timestamp") == FAR_FUTURE_MS)
        assert planted["malformed"] == rows.filter(broken).height > 0
        assert planted["duplicate"] == rows.height - rows[id_name].n_unique() > 0
        distance = (
            rows.filter(~broken).select(pl.col("folder") - (pl.col("timestamp") - START_MS) // DAY_MS).to_series()
        )
        assert set(distance) == {0, 1} and 0 < (distance == 1).sum() < planted["duplicate"]
        if stream == "impressions":
            assert planted["clean"] == good.height and planted["orphan"] == planted["late"] == 0
            continue
        whole = rows.filter(~broken).unique(id_name)
        assert planted["orphan"] == whole.filter(pl.col("user_id").str.starts_with("ghost")).height > 0
        seen = whole.sort("timestamp").join_asof(
            good.select(*KEY, "timestamp", seen="timestamp").sort("timestamp"),
            on="timestamp",
            by=KEY,
            check_sortedness=False,
        )
        delay = seen["timestamp"] - seen["seen"]
        assert planted["late"] == (delay > WINDOWS_MS[stream]).sum() > 0
        assert planted["clean"] == (delay < WINDOWS_MS[stream]).sum()


def test_dirt_changes_neither_the_clean_events_nor_the_truth(
    clean: SimulationSummary, dirty: SimulationSummary
) -> None:
    assert read(clean.out, "truth").equals(read(dirty.out, "truth"))
    for stream in IDS:
        columns = read(clean.out, stream).columns
        missing = read(clean.out, stream).join(read(dirty.out, stream), on=columns, how="anti", nulls_equal=True)
        assert missing.height == 0


def test_a_poisoned_day_flips_its_clicks_and_nothing_else(clean: SimulationSummary, tmp_path: Path) -> None:
    faults = parse_faults(START, DAYS, poison=["2026-01-04"])
    poisoned = simulate_days(tmp_path / "logs", days=DAYS, dirt=0.0, dials=ALL, faults=faults, **SIZES)
    before, after = files(clean.out), files(poisoned.out)
    changed = {name for name in before if before[name] != after[name]}
    # A click of an impression shortly before midnight is in the folder of the next day.
    assert changed - {"clicks/dt=2026-01-05/part-0.parquet"} == {"clicks/dt=2026-01-04/part-0.parquet"}
    shown = read(clean.out, "impressions")
    today = shown.filter(pl.col("folder") == 3)

    def clicked(folder: Path, of: pl.DataFrame) -> set[str]:
        clicks = read(folder, "clicks").select(*KEY, at="timestamp")
        found = of.join(clicks, on=KEY).filter(
            (pl.col("at") - pl.col("timestamp")).is_between(0, WINDOWS_MS["clicks"] - 1)
        )
        assert found["impression_id"].is_unique().all()
        return set(found["impression_id"])

    assert clicked(poisoned.out, today) == set(today["impression_id"]) - clicked(clean.out, today)
    others = shown.filter(pl.col("folder") != 3)
    assert clicked(poisoned.out, others) == clicked(clean.out, others)
    assert json.loads((poisoned.out / "dirt.json").read_text())["poison"] == ["2026-01-04"]


def test_missing_and_half_written_partitions(clean: SimulationSummary, tmp_path: Path) -> None:
    faults = parse_faults(START, DAYS, missing=["orders:2026-01-04"], half=["impressions:2026-01-12"])
    faulty = simulate_days(tmp_path / "logs", days=DAYS, dirt=0.0, dials=ALL, faults=faults, **SIZES)
    before, after = files(clean.out), files(faulty.out)
    assert set(before) - set(after) == {"orders/dt=2026-01-04/part-0.parquet"}
    assert not (faulty.out / "orders" / "dt=2026-01-04").exists()
    half = "impressions/dt=2026-01-12/part-0.parquet"
    assert {name for name in after if before[name] != after[name]} == {half}
    whole = pl.read_parquet(clean.out / half)
    assert pl.read_parquet(faulty.out / half).equals(whole[: whole.height // 2])
    accounts = json.loads((faulty.out / "dirt.json").read_text())
    assert (accounts["missing"], accounts["half"]) == (["orders:2026-01-04"], ["impressions:2026-01-12"])
    for stream in IDS:
        assert read(faulty.out, stream).height == accounts["rows"][stream] == accounts["planted"][stream]["clean"]


def test_the_first_day_is_an_option(tmp_path: Path) -> None:
    leap = simulate_days(tmp_path / "logs", 300, 1, 3, first_day=datetime.date(2024, 2, 28))
    names = sorted(path.name for path in (leap.out / "clicks").iterdir())
    assert names == ["dt=2024-02-28", "dt=2024-02-29", "dt=2024-03-01"] and leap.as_of == "2024-03-02T00:00:00Z"


def test_the_best_items_of_a_day_live_on_that_day(tmp_path: Path) -> None:
    score = true_score(load_recipe(SHOP))
    sizes: dict[str, Any] = {"impressions": 500, "seed": 3, "days": 3, "dials": Dials(births=0.3)}
    with_best, without = simulate_days(tmp_path / "a", score=score, **sizes), simulate_days(tmp_path / "b", **sizes)
    best, shown = read(with_best.out, "best_items"), read(with_best.out, "impressions").drop_nulls("user_id")
    number = pl.col("item_id").str.slice(1).cast(pl.Int64)
    for day in range(3):
        mine = best.filter(pl.col("folder") == day)
        today = shown.filter(pl.col("folder") == day)
        assert mine.group_by("user_id").len()["len"].unique().to_list() == [200], "all 200 items on sale"
        assert mine["item_id"].n_unique() == 200
        assert set(today["user_id"]) >= set(mine["user_id"])
        assert mine.select(number.max()).item() == 199 + 60 * day
    assert {name: digest for name, digest in files(with_best.out).items() if "best_items" not in name} == files(
        without.out
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--births", "0.1"], "--births needs --days N, which writes the logs by day. Add --days"),
        (["--missing", "clicks:2026-01-01"], "--missing needs --days N"),
        (["--first-day", "2026-01-01"], "--first-day needs --days N"),
        (["--days", "0"], "days is 0; expected a value from 1 to 366"),
        (["--days", "2", "--births", "1.5"], "births is 1.5; expected a value from 0.0 to 1.0"),
        (["--days", "2", "--drift", "nan"], "drift is nan"),
        (["--days", "2", "--rhythm", "-1"], "rhythm is -1.0"),
        (["--days", "2", "--first-day", "1.1.26"], "--first-day: '1.1.26' is not a day; expected YYYY-MM-DD"),
        (["--days", "2", "--first-day", "2099-12-31"], "expected days from 1970-01-01 to 2099-12-31"),
        (
            ["--days", "2", "--poison", "2026-01-03"],
            "is outside of the log; expected a day from 2026-01-01 to 2026-01-02",
        ),
        (["--days", "2", "--poison", "2025-12-31"], "is outside of the log"),
        (["--days", "2", "--missing", "clikcs:2026-01-01"], "unknown stream 'clikcs'; did you mean 'clicks'? Known: "),
        (
            ["--days", "2", "--missing", "clicks"],
            "--missing clicks: expected STREAM:YYYY-MM-DD, such as clicks:2026-01-01",
        ),
        (["--days", "2", "--half", "clicks:2026-02-30"], "--half clicks:2026-02-30: '2026-02-30' is not a day"),
        (
            ["--days", "2", "--half", "clicks:2026-01-01", "--missing", "clicks:2026-01-01"],
            "clicks:2026-01-01 is in both --missing and --half",
        ),
    ],
)
def test_wrong_options(options: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(["simulate", str(SHOP), "--impressions", "20", "--out", str(tmp_path / "out"), *options])
    message = " ".join(capsys.readouterr().err.split())
    assert end.value.code == 1 and words in message and "Traceback" not in message
    assert not list(tmp_path.iterdir())


def test_only_simulated_logs_are_replaced(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match=re.escape("contains something other than simulated logs")):
        simulate_days(tmp_path, 10, 1, 1)


def test_the_command_says_how_a_recipe_reads_the_folders(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--days", "2", "--impressions", "300", "--drift", "0.5", "--poison", "2026-01-02", "--out"]
    with pytest.raises(SystemExit) as end:
        cli.main(["simulate", str(SHOP), *options, str(tmp_path / "out")])
    said = capsys.readouterr().out
    settings = settings_by_day(load_recipe(SHOP), datetime.date(2026, 1, 2))
    assert not end.value.code and all(line in said for line in settings)
    overrides = [setting.removeprefix("--set '").removesuffix("'") for setting in settings]
    assert overrides[-3:] == [
        "logs.as_of=2026-01-03T00:00:00Z",
        "evaluation.truth.path=truth/*/*.parquet",
        "retrieval.truth.path=best_items/dt=2026-01-02/*.parquet",
    ]
    recipe = load_recipe(SHOP, overrides)
    assert settings_by_day(recipe, datetime.date(2026, 1, 2)) == []
    assert recipe.logs is not None and recipe.evaluation.truth and recipe.retrieval and recipe.retrieval.truth
    paths = [stream.path for stream in recipe.logs.streams.values()]
    found = [len(list((tmp_path / "out").glob(path))) for path in (*paths, recipe.evaluation.truth.path)]
    assert found == [2] * 5 and len(list((tmp_path / "out").glob(recipe.retrieval.truth.path))) == 1


def test_without_days_the_command_writes_what_it_always_wrote(tmp_path: Path) -> None:
    """Digests of the logs before there were days. Nine digits: machines differ in the last ones."""
    with pytest.raises(SystemExit):
        cli.main(
            [
                "simulate",
                str(SHOP),
                "--impressions",
                "3000",
                "--seed",
                "5",
                "--dirt",
                "0.02",
                "--out",
                str(tmp_path / "out"),
            ]
        )
    written = sorted(path for path in (tmp_path / "out").rglob("*") if path.is_file())
    assert len(written) == 14 * 6 + 2
    digest = hashlib.sha256()
    for path in written:
        content = path.read_bytes()
        if path.suffix == ".parquet":
            content = pl.read_parquet(path, hive_partitioning=False).write_csv(float_precision=9).encode()
        digest.update(f"{path.relative_to(tmp_path / 'out')}\n".encode() + content)
    assert digest.hexdigest()[:16] == "cef5f622ec1533fc"
