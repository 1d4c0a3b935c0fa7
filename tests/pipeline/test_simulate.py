"""The simulator: same bytes for the same seed, dials that do what they say, planted numbers, calibrated truth."""

import datetime
import hashlib
import json
import re

import numpy as np
import polars as pl
import pytest

from models.recipe.errors import InputError
from pipeline.simulate import simulate
from pipeline.simulate_dirt import FAR_FUTURE_MS
from pipeline.simulate_events import WINDOWS_MS, delays, late_delays
from pipeline.simulate_shop import random, traffic
from pipeline.simulate_truth import CART_RATE, CLICK_RATE, ORDER_RATE, truth

KEY = ["user_id", "item_id"]
OUTCOMES = {"clicks": "click_id", "dwell": "dwell_id", "carts": "cart_id", "orders": "order_id"}
IMPRESSIONS = 40_000


def read(folder, stream):
    return pl.read_parquet(sorted((folder / stream).glob("*.parquet")))


def digests(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clean") / "logs"
    return simulate(folder, IMPRESSIONS, seed=3, dirt=0.0)


@pytest.fixture(scope="module")
def dirty(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dirty") / "logs"
    return simulate(folder, 20_000, seed=3, dirt=0.05)


@pytest.fixture(scope="module")
def joined(clean):
    """Impressions with their truth and the time of each outcome; pairs are unique, so a plain join is the truth."""
    rows = read(clean.out, "impressions").join(read(clean.out, "truth"), on="impression_id", how="left", validate="1:1")
    for stream in OUTCOMES:
        events = read(clean.out, stream).select(*KEY, pl.col("timestamp").alias(stream))
        rows = rows.join(events, on=KEY, how="left", validate="1:1")
    return rows


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(tmp_path):
    first, second, other = (simulate(tmp_path / name, 2_000, seed) for name, seed in (("a", 5), ("b", 5), ("c", 6)))
    assert digests(first.out) == digests(second.out)
    assert (
        digests(first.out)["impressions/day=2026-01-01.parquet"]
        != digests(other.out)["impressions/day=2026-01-01.parquet"]
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "c"], "no temporary folder stays"


def test_dirt_changes_neither_the_clean_events_nor_the_truth(tmp_path):
    without, with_dirt = simulate(tmp_path / "a", 3_000, 5, dirt=0.0), simulate(tmp_path / "b", 3_000, 5, dirt=0.1)
    assert read(without.out, "truth").equals(read(with_dirt.out, "truth"))
    for stream in ("impressions", *OUTCOMES):
        missing = read(without.out, stream).join(
            read(with_dirt.out, stream), on=read(without.out, stream).columns, how="anti", nulls_equal=True
        )
        assert missing.height == 0


def test_every_outcome_of_clean_logs_follows_its_only_impression_inside_the_window(clean, joined):
    assert joined.height == IMPRESSIONS == joined.select(KEY).n_unique()
    for stream in OUTCOMES:
        found = joined.drop_nulls(stream)
        assert found.height == clean.rows[stream] > 100
        delay = found[stream] - found["timestamp"]
        assert delay.min() >= 0 and delay.max() < WINDOWS_MS[stream]
    ordered = joined.drop_nulls("orders")
    assert (ordered["clicks"] <= ordered["carts"].fill_null(0)).all(), "whoever orders had it in the cart before"
    assert (ordered["carts"] <= ordered["orders"]).all()
    assert joined.filter(pl.col("carts").is_not_null() & pl.col("clicks").is_null()).height == 0


def test_files_are_by_day_and_their_rows_by_time(clean):
    names = sorted(path.name for path in (clean.out / "orders").iterdir())
    assert names[0] == "day=2026-01-01.parquet" and names[-1] == "day=2026-01-14.parquet" and len(names) == 14
    day = pl.read_parquet(clean.out / "impressions" / names[2])["timestamp"]
    assert day.is_sorted()
    assert pl.Series(day).cast(pl.Datetime("ms")).dt.date().unique().to_list() == [datetime.date(2026, 1, 3)]


@pytest.mark.parametrize(
    ("outcome", "given", "probability"),
    [
        ("clicks", None, "p_click"),
        ("carts", "clicks", "p_cart_given_click"),
        ("orders", "clicks", "p_order_given_click"),
    ],
)
def test_the_truth_is_calibrated_in_every_tenth(joined, clean, outcome, given, probability):
    """In each tenth by true probability, labels lie within 4.5 standard errors of the truth (a fixed seed)."""
    end = pl.lit(clean.as_of).str.to_datetime(time_zone="UTC", time_unit="ms").cast(pl.Int64)
    rows = joined.filter(pl.col("timestamp") < end - WINDOWS_MS[outcome])
    rows = rows.drop_nulls(given) if given else rows
    p, label = rows[probability].to_numpy(), rows[outcome].is_not_null().to_numpy()
    assert len(p) > 3_000
    for tenth in np.array_split(np.argsort(p), 10):
        spread = np.sqrt((p[tenth] * (1 - p[tenth])).sum())
        assert abs(label[tenth].sum() - p[tenth].sum()) < 4.5 * spread


def test_rates(joined):
    clicked = joined.drop_nulls("clicks")
    assert joined["p_click"].mean() == pytest.approx(CLICK_RATE, abs=0.001)
    assert clicked["p_cart_given_click"].mean() == pytest.approx(CART_RATE, abs=0.01)
    assert clicked["p_order_given_click"].mean() == pytest.approx(ORDER_RATE, abs=0.01)


def test_order_values_have_the_true_mean(clean):
    shown = read(clean.out, "impressions").join(read(clean.out, "truth"), on="impression_id")
    ratio = (
        read(clean.out, "orders")
        .join(shown, on=KEY)
        .select(pl.col("order_value") / pl.col("mean_order_value"))
        .to_series()
    )
    assert ratio.mean() == pytest.approx(1.0, abs=4 * 0.25 / np.sqrt(len(ratio)))
    assert ratio.std() == pytest.approx(0.25, abs=0.04)


def test_conflict_turns_the_orders_against_the_clicks():
    shown = traffic(20_000, seed=4, days=14)

    def correlation(conflict):
        found = truth(shown, 4, conflict)
        return [
            float(np.corrcoef(np.log(found.click), np.log(p))[0, 1])
            for p in (found.order_given_click, found.cart_given_click)
        ]

    none, half, full = correlation(0.0), correlation(0.5), correlation(1.0)
    assert none[0] > 0.7 and abs(half[0]) < 0.2 and full[0] < -0.7
    assert none[1] > 0.7 and none[1] > half[1] > full[1]


def test_planted_dirt_is_exactly_what_the_accounts_say(dirty):
    accounts = json.loads((dirty.out / "dirt.json").read_text())
    assert accounts["as_of"] == dirty.as_of == "2026-01-15T00:00:00Z"
    end = 1_768_435_200_000
    shown = read(dirty.out, "impressions")
    good = shown.drop_nulls(["user_id", "timestamp"]).filter(pl.col("timestamp") < end).unique()
    for stream, name in {"impressions": "impression_id", **OUTCOMES}.items():
        rows, planted = read(dirty.out, stream), accounts["planted"][stream]
        assert rows.height == accounts["rows"][stream] == sum(planted.values())
        broken = pl.col("user_id").is_null() | pl.col("timestamp").is_null() | (pl.col("timestamp") >= end)
        found = {"malformed": rows.filter(broken).height, "duplicate": rows.height - rows.unique().height}
        assert rows.select(name).n_unique() == rows.height - found["duplicate"], (
            "a copy keeps its event id, all else has its own"
        )
        if stream == "impressions":
            assert planted == {"clean": 20_000, "orphan": 0, "late": 0, "malformed": 1_000, "duplicate": 1_000}
            found |= {"clean": good.height, "orphan": 0, "late": 0}
        else:
            whole = (
                rows.filter(~broken)
                .unique()
                .join(good.select(*KEY, pl.col("timestamp").alias("seen")), on=KEY, how="left", validate="m:1")
            )
            delay = pl.col("timestamp") - pl.col("seen")
            found["orphan"] = whole.filter(pl.col("seen").is_null()).height
            found["late"] = whole.filter(delay > WINDOWS_MS[stream]).height
            found["clean"] = whole.filter(delay.is_between(0, WINDOWS_MS[stream])).height
            assert (
                planted["orphan"] == planted["malformed"] == planted["duplicate"] == round(0.05 * planted["clean"]) > 0
            )
        assert found == planted, stream
    times = shown["timestamp"]
    assert times.null_count() > 100 and shown["user_id"].null_count() > 100 and (times == FAR_FUTURE_MS).sum() > 100


def test_no_dirt_and_one_impression(tmp_path):
    summary = simulate(tmp_path / "one", 1, seed=1, dirt=0.0, days=1)
    assert summary.rows["impressions"] == 1
    assert all(
        planted[kind] == 0
        for planted in summary.planted.values()
        for kind in ("duplicate", "orphan", "late", "malformed")
    )
    assert simulate(tmp_path / "all", 50, seed=1, dirt=1.0, days=1).planted["impressions"]["duplicate"] == 50


def test_popularity_and_prices_are_skewed_and_some_values_are_missing(clean):
    shown = read(clean.out, "impressions")
    sold = shown.group_by("item_id").len()["len"].sort(descending=True)
    assert sold[: len(sold) // 10].sum() > 0.35 * IMPRESSIONS
    per_user = shown.group_by("user_id").len()["len"]
    assert per_user.quantile(0.99) > 3 * per_user.median()
    assert shown["price"].max() > 8 * shown["price"].median()
    assert (
        0.05 < shown["age"].null_count() / IMPRESSIONS < 0.12
        and shown["rating"].null_count()
        and shown["tags"].null_count()
    )
    assert shown["tags"].str.split("|").list.len().max() == 5


def test_delays_stay_below_their_limits():
    limit = np.array([10, 1_000, 10**9] * 200)
    drawn = delays(random(1, 1), 500.0, 1.5, limit)
    assert (drawn < limit).all() and (drawn >= 0).all()
    assert abs(np.median(drawn[2::3]) / 500.0 - 1.0) < 0.3
    late = late_delays(random(1, 1), 1_000, 500)
    assert late.min() > 1_000 and late.max() <= 3_000


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"impressions": 0}, "impressions is 0; expected a value from 1 to"),
        ({"conflict": 1.5}, "conflict is 1.5; expected a value from 0.0 to 1.0"),
        ({"conflict": float("nan")}, "conflict is nan"),
        ({"dirt": -0.1}, "dirt is -0.1; expected a value from 0.0 to 1.0"),
        ({"days": 0}, "days is 0; expected a value from 1 to 366"),
        ({"seed": -1}, "seed is -1"),
        ({"hidden": 2.0}, "hidden is 2.0; expected a value from 0.0 to 1.0"),
    ],
)
def test_bad_values_are_refused(tmp_path, wrong, words):
    with pytest.raises(InputError, match=re.escape(words)):
        simulate(tmp_path / "logs", **({"impressions": 10, "seed": 1} | wrong))
    assert not (tmp_path / "logs").exists()


def test_only_simulated_logs_are_replaced(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match=r"contains something other than simulated logs \(it has no dirt.json\)"):
        simulate(tmp_path, 10, seed=1)
    with pytest.raises(InputError, match="is a file; expected a folder"):
        simulate(tmp_path / "thesis.txt", 10, seed=1)
    first = simulate(tmp_path / "logs", 10, seed=1, days=3)
    second = simulate(tmp_path / "logs", 20, seed=1, days=2)
    assert (first.rows["impressions"], second.rows["impressions"]) == (10, 20)
    assert len(list((tmp_path / "logs" / "clicks").iterdir())) == 2


@pytest.mark.parametrize(
    ("conflict", "expected"), [(0.0, "0e0973ea6dac5199"), (0.5, "9d221ce0279df327"), (1.0, "cb62550f897a9ee8")]
)
def test_the_shop_of_a_seed_stays_as_it_is(tmp_path, conflict, expected):
    """Numbers in the documents and comparisons over time rest on it. Nine digits: machines differ in the last ones."""
    simulate(tmp_path / "logs", 3_000, seed=5, conflict=conflict)
    digest = hashlib.sha256()
    for stream in ("truth", "impressions", *OUTCOMES):
        digest.update(read(tmp_path / "logs", stream).write_csv(float_precision=9).encode())
    assert digest.hexdigest()[:16] == expected
