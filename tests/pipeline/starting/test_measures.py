"""What init measures, against hand-worked numbers and slow obvious references."""

from __future__ import annotations

import datetime
from pathlib import Path

import polars as pl
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from models.recipe.errors import InputError
from pipeline.starting import words
from pipeline.starting.answers import Answers, by_stream
from pipeline.starting.features import find_features, recurring
from pipeline.starting.joins import Join, containment
from pipeline.starting.leaks import leak_of
from pipeline.starting.recipe_text import comment, flow
from pipeline.starting.sampling import Sample, head, sampled
from pipeline.starting.sides import determined, side_of
from pipeline.starting.sources import Source, find_sources, plain_name
from pipeline.starting.streams import AT, FoundStream
from pipeline.starting.times import FoundTime, shares, time_columns
from pipeline.starting.windows import delays, plain_window

small = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(0, 50)), min_size=1, max_size=25)


def stream(name: str, rows: list[tuple[int, int, int]]) -> FoundStream:
    frame = pl.DataFrame(rows, schema={"user": pl.Int64, "item": pl.Int64, AT: pl.Int64}, orient="row").sort(
        AT, maintain_order=True
    )
    source = Source(name=name, path=name, files=(), format="parquet")
    sample = Sample(source=source, frame=frame, total=frame.height)
    return FoundStream(name=name, sample=sample, frame=frame, time=FoundTime(column="at", unit="s"))


def join_of(impressions: FoundStream, outcome: FoundStream) -> Join:
    key = ("user", "item")
    return Join(
        impressions=impressions,
        outcomes=(outcome,),
        keys={impressions.name: key, outcome.name: key},
        user="user",
        item="item",
        contained={},
        left_out={},
    )


@given(small, small)
@settings(max_examples=60, deadline=None)
def test_delays_and_containment_are_those_of_a_slow_search(shown: list, happened: list) -> None:
    impressions, outcome = stream("view", shown), stream("click", happened)
    expected = []
    for user, item, at in happened:
        before = [when for u, i, when in shown if (u, i) == (user, item) and when <= at]
        if before:
            expected.append(at - max(before))
    assert sorted(delays(join_of(impressions, outcome), outcome)["delay"].to_list()) == sorted(expected)
    keys = {(u, i) for u, i, _ in shown}
    share = sum((u, i) in keys for u, i, _ in happened) / len(happened)
    assert containment(impressions, ("user", "item"), outcome, ("user", "item")) == pytest.approx(share)


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["a", "b", None])), min_size=1, max_size=30))
@settings(max_examples=60, deadline=None)
def test_what_a_key_determines(rows: list) -> None:
    groups: dict[int, list] = {}
    for key, value in rows:
        groups.setdefault(key, []).append(value)
    several = [group for group in groups.values() if len(group) > 1]
    total = sum(map(len, several))
    agreeing = sum(max(group.count(value) for value in group) for group in several)
    frame = pl.DataFrame(rows, schema={"key": pl.Int64, "value": pl.String}, orient="row")
    assert determined(frame, "value", "key") == pytest.approx(agreeing / total if total else 0.0)


def test_a_column_that_is_nearly_constant_has_no_side() -> None:
    frame = pl.DataFrame({"user": [n % 50 for n in range(1000)], "item": [n % 7 for n in range(1000)]})
    frame = frame.with_columns(
        plan=pl.col("user") % 4,
        locale=pl.when(pl.col("user") == 3).then(pl.lit("fr")).otherwise(pl.lit("en")),
        moved=pl.when(pl.int_range(1000) % 20 == 0).then(-1).otherwise(pl.col("user") % 4),
    )
    assert side_of(frame, "plan", "user", "item")[0] == "user"
    assert side_of(frame, "locale", "user", "item")[0] == "context"
    side, _, unsure = side_of(frame, "moved", "user", "item")
    assert side == "context" and unsure.endswith("Alternative: side: user")


def test_windows_are_rounded_up_to_plain_ones() -> None:
    minutes = datetime.timedelta(minutes=1)
    assert [plain_window(n * minutes) for n in (0, 1, 1.01, 30, 31, 1440, 10**9)] == [
        n * minutes for n in (1, 1, 5, 30, 60, 1440, 90 * 1440)
    ]


def test_units_by_the_range_of_the_numbers() -> None:
    at = [1_767_225_600, 1_767_225_601, 1_767_225_602, 5]
    for unit, per in (("s", 1), ("ms", 10**3), ("us", 10**6), ("ns", 10**9)):
        assert shares(pl.Series([n * per for n in at])) == {"s": 0, "ms": 0, "us": 0, "ns": 0} | {unit: 0.75}
    frame = pl.DataFrame(
        {
            "session_id": [1_767_225_600] * 3,
            "published_year": [2020] * 3,
            "n": [1_767_225_600] * 3,
            "day": ["2026-01-01"] * 3,
        }
    )
    assert time_columns(frame) == ["n", "day"]
    assert time_columns(frame.with_columns(created_at=pl.lit("2026-01-01 08:30"), at=pl.col("n") * 1000)) == [
        "created_at",
        "at",
    ]


def test_leaks() -> None:
    label = [n % 10 == 0 for n in range(1000)]
    frame = pl.DataFrame(
        {
            "label": label,
            "copy": ["yes" if one else "no" for one in label],
            "seconds": [float(n) if one else None for n, one in enumerate(label)],
            "noisy": [one ^ (n % 100 in (5, 10)) for n, one in enumerate(label)],
            "basket": [[n] if one else [] for n, one in enumerate(label)],
            "shop": [n % 3 for n in range(1000)],
        }
    )
    found = {name: leak_of(frame, name, {"click": "label"}) is not None for name in frame.columns[1:]}
    assert found == {"copy": True, "seconds": True, "noisy": False, "basket": True, "shop": False}
    assert leak_of(frame.head(100), "copy", {"click": "label"}) is None  # 10 positives say little


def test_ids_that_never_come_again() -> None:
    assert recurring(pl.Series(range(100))) == 0.0
    assert recurring(pl.Series([1, 2, 3, 4] * 25)) == 1.0
    assert recurring(pl.Series([1, 1, 1, 1, 1, 1, 1, 1, 1, 2])) == 0.5


@pytest.mark.parametrize(
    ("name", "user", "item"),
    [
        ("user_id", 1, 0),
        ("personId", 1, 0),
        ("uid", 1, 0),
        ("visitorid", 1, 0),
        ("click_article_id", 0, 1),
        ("sku", 0, 1),
        ("contentId", 0, 1),
        ("user_age", 0, 0),
        ("item_price", 0, 0),
        ("session_id", 0, 0),
        ("usage", 0, 0),
    ],
)
def test_ids_by_name(name: str, user: int, item: int) -> None:
    assert (words.user_column([name]) is not None, words.item_column([name]) is not None) == (bool(user), bool(item))


def test_stages_by_name() -> None:
    names = ["impressions", "pv", "product_view", "clicks", "add_to_cart", "fav", "orders", "buy", "heartbeat"]
    assert [words.stage(name) for name in names] == [0, 1, 1, 2, 3, 3, 4, 4, None]


def test_files_with_the_same_columns_are_one_source(tmp_path: Path) -> None:
    for file in [
        "clicks-2026-01-01.csv",
        "clicks-2026-01-02.csv",
        "views/dt=2026-01-01/part-0.parquet",
        "views/dt=2026-01-02/part-0.parquet",
        "orders/2026/01/a.jsonl.gz",
        "orders/2026/02/b.jsonl.gz",
        "_temporary/x.csv",
        ".hidden.csv",
        "items.csv",
        "readme.txt",
    ]:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text("a\n1\n")
    found = {source.name: (source.path, len(source.files), source.format) for source in find_sources(tmp_path)}
    assert found == {
        "click": ("clicks-*.csv", 2, "csv"),
        "item": ("items.csv", 1, "csv"),
        "order": ("orders/*/*/*.jsonl.gz", 2, "jsonl"),
        "view": ("views/*/*.parquet", 2, "parquet"),
    }
    with pytest.raises(InputError, match="is not a folder"):
        find_sources(tmp_path / "items.csv")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"no file that gatewise reads; expected Parquet, CSV or JSON Lines"):
        find_sources(tmp_path / "empty")


def test_texts_become_numbers_only_if_nearly_all_are(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        "n,padded,mixed,x,e\n"
        + "".join(f"{n},00{n},{n if n % 2 else 'b'},{n}.5,\n" for n in range(100))
        + "NA,001,b,,\n"
    )
    (tmp_path / "b.jsonl").write_text('{"a": 1, "b": [1, 2], "c": "x"}\nbroken\n{"a": 2.5, "c": 3}\n[1]\n')
    first, second = (head(source) for source in find_sources(tmp_path))
    types = {name: first.frame[name].dtype for name in "n padded mixed x e".split()}  # noqa: SIM905
    assert types == {"n": pl.Int64, "padded": pl.String, "mixed": pl.String, "x": pl.Float64, "e": pl.String}
    assert first.nulls == ("NA",)
    assert second.frame["a"].to_list() == [1.0, 2.5] and second.frame["b"].to_list() == [[1, 2], None]
    assert second.frame["c"].to_list() == ["x", "3"]


def test_a_sample_has_all_rows_of_the_same_users_in_every_source(tmp_path: Path) -> None:
    for name, times in (("views", 6), ("clicks", 1)):
        pl.DataFrame({"user": [f"u{n}" for n in range(1000)] * times}).write_parquet(tmp_path / f"{name}.parquet")
    clicks, views = (sampled(source, "user", 3500) for source in find_sources(tmp_path))
    assert (views.total, views.every, clicks.every) == (6000, 2, 1)
    counts = views.frame["user"].value_counts()
    assert counts["count"].unique().to_list() == [6] and 350 < counts.height < 650


@given(st.text(max_size=30))
def test_names_and_values_survive_as_yaml(text: str) -> None:
    assert yaml.safe_load(f"a: {flow({'column': text})}")["a"] == {"column": text}
    assert all(line.lstrip().startswith("#") for line in comment(f"Column {text}.", 2))
    name = plain_name(text, ["events"])
    assert name != "events" and name[0].isalpha() and name.isascii() and name.replace("_", "").isalnum()


def test_options_of_streams() -> None:
    assert by_stream("time", ["click=at", "ts"]) == {"click": "at", "": "ts"}
    for wrong in (["=at"], ["click="], ["click=a", "click=b"]):
        with pytest.raises(InputError, match=r"--time .*: expected STREAM=VALUE once for each stream"):
            by_stream("time", wrong)


def test_lists_of_numbers_of_one_length_are_vectors() -> None:
    frame = pl.DataFrame(
        {
            "text": [[0.5, 1.0, -2.0], [], [1.0, 2.0, 3.0], None],
            "odd": [[0.5], [1.0, 2.0], [3.0], [4.0]],
            "tags": [["a", "b"], ["a"], [], ["b"]],
            "ids": [[1, 2], [3, 4], [1, 3], [2, 4]],
        }
    )
    found, none = find_features(frame, {}, {}, None, None, Answers(), logged=False)
    kinds = {feature.name: feature.values for feature in found}
    assert kinds["text"] == {"kind": "vector", "dim": 3, "normalise": "standard"}
    assert kinds["tags"]["kind"] == kinds["ids"]["kind"] == "multivalued"
    assert none == {"odd": "it has lists of numbers of several lengths"}
