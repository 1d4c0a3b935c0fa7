"""The spans that a recipe selects: paths of days, the window of a run, and the refusal of contradictions."""

from __future__ import annotations

import datetime
import fnmatch
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from models.recipe.errors import InputError
from models.recipe.file import load_recipe
from models.recipe.recipe import Recipe
from models.recipe.spans import as_of, eval_start, expanded, of_any_span, parse_day, paths_of, span_in, spans_of

UTC = datetime.UTC
Load = Callable[..., Recipe]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """A recipe of views, clicks and orders in daily folders, with any keys set as `--set` does; None removes a key."""

    def make(**changes: Any) -> Recipe:
        stream = {"key": ["user", "item"], "time": {"column": "time", "unit": "s"}}
        fields: dict[str, Any] = {
            "name": "shop",
            "logs": {
                "impressions": "view",
                "span": "1d",
                "day": "2026-03-02",
                "streams": {
                    name: {"path": f"{name}/dt={{YYYY}}-{{MM}}-{{DD}}/*.csv", **stream}
                    for name in ("view", "click", "order")
                },
            },
            "split": {"eval_last": "1d", "train_last": "3d"},
            "features": {"user": {"kind": "categorical"}},
            "tasks": {
                "click": {"kind": "binary", "outcome": "click", "window": "1d"},
                "order": {"kind": "binary", "outcome": "order", "window": "36h"},
            },
        }
        for key, value in changes.items():
            *sections, last = key.split("__")
            place = fields
            for section in sections:
                place = place.setdefault(section, {})
            if value is None:
                del place[last]
            else:
                place[last] = value
        file = tmp_path / "recipe.yaml"
        file.write_text(yaml.safe_dump(fields))
        return load_recipe(file)

    return make


def test_the_window_by_hand(load: Load) -> None:
    recipe = load()
    assert as_of(recipe) == datetime.datetime(2026, 3, 3, tzinfo=UTC)
    assert eval_start(recipe) == datetime.datetime(2026, 3, 2, tzinfo=UTC)
    # Across the end of a February of 28 days: three days to train, one to evaluate.
    days = ["2026-02-27", "2026-02-28", "2026-03-01", "2026-03-02"]
    for stream in ("view", "click", "order"):
        paths = paths_of(recipe.logs.streams[stream].path, spans_of(recipe, stream))  # type: ignore[union-attr]
        assert paths == tuple(f"{stream}/dt={day}/*.csv" for day in days)


def test_a_later_as_of_reads_the_outcomes_of_later_days(load: Load) -> None:
    found = {}
    for moment in ("2026-03-03T00:00:00Z", "2026-03-03T00:00:01Z", "2026-03-04T00:00:00Z", "2026-03-31T00:00:00Z"):
        recipe = load(logs__as_of=moment)
        found[moment[5:19]] = [spans_of(recipe, name).until for name in ("view", "click", "order")]  # type: ignore[union-attr]
        assert eval_start(recipe) == datetime.datetime(2026, 3, 2, tzinfo=UTC)
    assert found == {
        "03-03T00:00:00": ["2026-03-02", "2026-03-02", "2026-03-02"],
        "03-03T00:00:01": ["2026-03-02", "2026-03-03", "2026-03-03"],
        "03-04T00:00:00": ["2026-03-02", "2026-03-03", "2026-03-03"],
        "03-31T00:00:00": ["2026-03-02", "2026-03-03", "2026-03-04"],  # the windows are 1 day and 36 hours
    }
    spans = spans_of(recipe, "order")
    assert [spans.required(start) for start in spans.starts()] == [True] * 4 + [False] * 2  # type: ignore[union-attr]
    with pytest.raises(InputError, match=r"logs.as_of: expected at least the end of the day 2026-03-02"):
        spans_of(load(logs__as_of="2026-03-02T23:59:59Z"), "view")


def test_hours(load: Load) -> None:
    hourly = {
        f"logs__streams__{name}__path": f"{{YYYY}}/{{MM}}/{{DD}}/{{HH}}-{name}.csv"
        for name in ("view", "click", "order")
    }
    recipe = load(**hourly, logs__span="1h", logs__day="2026-03-02T01", split__eval_last="1h", split__train_last="2h")
    paths = paths_of(recipe.logs.streams["view"].path, spans_of(recipe, "view"))  # type: ignore[union-attr]
    assert paths == ("2026/03/01/23-view.csv", "2026/03/02/00-view.csv", "2026/03/02/01-view.csv")
    assert as_of(recipe) == datetime.datetime(2026, 3, 2, 2, tzinfo=UTC)


PATH = "logs.streams.click.path: "


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"logs__streams__click__path": "{YYYY}/{MM}/{day}.csv"},
            PATH + r"unknown placeholder \{day\}; .*Known: DD, HH, MM, YYYY",
        ),
        (
            {"logs__streams__click__path": "{yyyy}/{MM}/{DD}.csv"},
            PATH + r"unknown placeholder \{yyyy\}; did you mean 'YYYY'\?",
        ),
        (
            {"logs__streams__click__path": "click/*.csv"},
            PATH + r"`span: 1d` needs \{YYYY\} and \{MM\} and \{DD\}.*received none",
        ),
        (
            {"logs__streams__click__path": "{MM}/{DD}.csv"},
            PATH + r"`span: 1d` needs \{YYYY\} .*received \{MM\} and \{DD\}",
        ),
        ({"logs__streams__click__path": "{YYYY}{MM}{DD}{HH}.csv"}, PATH + r"\{HH\} with `span: 1d`: write \*"),
        ({"logs__span": "1h", "logs__day": "2026-03-02T05"}, PATH + r"`span: 1h` needs \{HH\}"),
        ({"logs__span": None}, PATH + r"\{YYYY\} stands for a part of a date and needs `logs.span`"),
        ({"logs__span": None}, r"logs.day: chooses the spans"),
        ({"logs__span": None}, r"split.train_last: chooses the spans"),
        ({"logs__day": "2026-02-29"}, r"logs.day: expected a day of 1990-2100 in UTC"),
        (
            {"logs__day": "2026-03-02T05"},
            r"logs.day: `span: 1d` needs a day, such as 2026-11-28; received 2026-03-02T05",
        ),
        ({"split__train_last": None}, r"split: with `logs.span`, train_last is missing"),
        ({"split__train_last": "36h"}, r"split.train_last: expected a multiple of `logs.span`, 1d; received 36h"),
        ({"split__train_last": "10001d"}, r"split: expected at most 10,000 spans"),
        (
            {"split__eval_last": None, "split__eval_fraction": 0.2},
            r"split.eval_fraction: with `logs.span`, .* Use eval_last",
        ),
        ({"split__validate_from": "2026-03-01T00:00:00Z"}, r"split.validate_from: with `logs.span`"),
        ({"split__validate_last": "3d"}, r"split.validate_last: expected less than train_last, 3d"),
        (
            {"logs__streams__view__may_be_empty": True},
            r"logs.streams.view.may_be_empty: the impressions are the examples",
        ),
    ],
)
def test_contradictions(load: Load, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        load(**changes)


def test_keys_of_spans_need_spans(load: Load) -> None:
    plain = {f"logs__streams__{name}__path": f"{name}.csv" for name in ("view", "click", "order")}
    plain |= {"logs__span": None, "logs__day": None, "split__train_last": None}
    load(**plain)
    for key in ("logs__streams__click__may_be_empty", "logs__limits"):
        value = {"least_of_median": 0.5} if key == "logs__limits" else True
        with pytest.raises(InputError, match="needs `logs.span`. Remove it"):
            load(**plain, **{key: value})


def test_the_user_s_next_views_are_not_read_after_the_day(load: Load) -> None:
    users = {f"logs__streams__{name}__user": ["user"] for name in ("view", "click", "order")}
    back = {"kind": "binary", "role": "auxiliary", "match": "user", "outcome": "view", "window": "1d"}
    load(**users, tasks__back=back)
    with pytest.raises(
        InputError, match="logs.as_of: with `logs.span`, impressions after the day are not read.*'back'"
    ):
        load(**users, tasks__back=back, logs__as_of="2026-03-05T00:00:00Z")


def test_latest_is_no_day_of_a_plan(load: Load) -> None:
    with pytest.raises(InputError, match="logs.day is `latest`.*--set logs.day=2026-11-28"):
        spans_of(load(logs__day=None), "view")


@pytest.mark.parametrize(
    "text", ["2026-11-31", "20261128", "2026-11-28T24", "2026-11-28T05:00", "1970-01-01", "", "latest"]
)
def test_days_that_are_none(text: str) -> None:
    with pytest.raises(ValueError, match="expected a day"):
        parse_day(text)


NAMES = st.sampled_from(
    ["a", "1", "-", "=", ".", "*", "?", "[0-9]", "[!x]", "[^1]", "{YYYY}", "{MM}", "{DD}", "/", "**/"]
)


@given(
    st.lists(NAMES, max_size=8).map("".join),
    st.dates(datetime.date(2026, 1, 1), datetime.date(2026, 12, 31)),
    st.randoms(use_true_random=False),
)
def test_the_day_of_a_file_against_trying_every_day(middle: str, day: datetime.date, random: Any) -> None:
    path = "x/" + middle + "{YYYY}-{MM}-{DD}.csv"
    file = _file_of(expanded(path, datetime.datetime(day.year, day.month, day.day, tzinfo=UTC)), random)
    file = "/".join(name for name in file.split("/") if name)
    if not _fits(of_any_span(path), file):
        return
    every = [datetime.datetime(2026, 1, 1, tzinfo=UTC) + datetime.timedelta(days=n) for n in range(365)]
    days = [one for one in every if _fits(expanded(path, one), file)]
    found = span_in(path, "/data/" + file, 24)
    assert found in days if days else found is None or found.year != 2026


def _file_of(path: str, random: Any) -> str:
    """A file that the glob `path` matches."""
    made = path
    for glob, choices in (
        ("**/", ("", "a/", "b/c/")),
        ("*", ("", "7", "ab")),
        ("?", ("3", "z")),
        ("[0-9]", ("4", "0")),
    ):
        while glob in made:
            made = made.replace(glob, random.choice(choices), 1)
    return made.replace("[!x]", "y").replace("[^1]", "^")


def _fits(path: str, file: str) -> bool:
    """Whether a glob matches a file, by the definition: name by name, and `**` any number of folders."""

    def fits(pattern: list[str], names: list[str]) -> bool:
        if not pattern:
            return not names
        if pattern[0] == "**":
            return fits(pattern[1:], names) or (bool(names) and fits(pattern, names[1:]))
        return bool(names) and fnmatch.fnmatchcase(names[0], pattern[0]) and fits(pattern[1:], names[1:])

    def named(text: str) -> list[str]:
        return [name for name in text.split("/") if name]

    return fits(named(path), named(file))


@given(st.dates(datetime.date(2000, 1, 1), datetime.date(2090, 1, 1)), st.integers(1, 40), st.integers(1, 5))
def test_days_against_counting(day: datetime.date, train: int, evaluate: int) -> None:
    from models.recipe.spans import Spans

    first = day - datetime.timedelta(days=train + evaluate - 1)
    spans = Spans(hours=24, first=first.isoformat(), day=day.isoformat(), until=day.isoformat())
    counted, one = [], first
    while one <= day:
        counted.append(f"c-{one.year:04d}{one.month:02d}{one.day:02d}.csv")
        one += datetime.timedelta(days=1)
    assert list(paths_of("c-{YYYY}{MM}{DD}.csv", spans)) == counted
    assert len(counted) == train + evaluate


def test_the_truth_of_the_eval_split_alone_is_read(load: Load) -> None:
    from components.evaluation.plan import TruthPlan

    truth = {"path": "truth/dt={YYYY}-{MM}-{DD}/*.parquet", "event_id": "id", "columns": {"click": "p"}}
    found = TruthPlan.from_recipe(
        load(evaluation__truth=truth, split__eval_last="2d", logs__streams__view__event_id="id")
    )
    assert found is not None
    assert found.paths == ("truth/dt=2026-03-01/*.parquet", "truth/dt=2026-03-02/*.parquet")
    whole = load(evaluation__truth={**truth, "path": "truth/*.parquet"}, logs__streams__view__event_id="id")
    assert TruthPlan.from_recipe(whole).paths == ("truth/*.parquet",)  # type: ignore[union-attr]
    with pytest.raises(InputError, match=r"evaluation\.truth\.path: `span: 1d` needs \{DD\} in the path"):
        load(evaluation__truth={**truth, "path": "truth/{YYYY}{MM}.parquet"}, logs__streams__view__event_id="id")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"training__start": "warm", "training__distill": {"teacher": "ple"}},
            r"training\.distill\.teacher: is trained from nothing",
        ),
        ({"logs__left_out": ["2026-03-01T05"]}, r"logs\.left_out: `span: 1d` needs days"),
        ({"logs__taken_in": ["latest"]}, r"logs\.taken_in: `span: 1d` needs days"),
        ({"logs__left_out": ["tomorrow"]}, r"logs\.left_out.*expected a day"),
    ],
)
def test_what_a_night_refuses(load: Load, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        load(**changes)
    assert load(training__start="warm", training__distill={"teacher": "blessed"}, logs__left_out=["2026-03-01"]).logs


def test_a_warm_start_has_no_references(load: Load) -> None:
    with pytest.raises(InputError, match=r"evaluation\.references: train from nothing"):
        load(training__start="warm", evaluation__references=["linear"])
    assert load(evaluation__references=["linear"]).training.start == "cold"
    assert load(training__start="warm").training.warm.epochs == 1
