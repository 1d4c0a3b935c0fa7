"""The nights of a model: ancestors, refused days, and what is kept, by hand and against a slow reference."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components.push.nights import (
    RECORD,
    STATE,
    Record,
    eval_days,
    in_words,
    learned_days,
    newer_day,
    night_of,
    read_records,
    remove_states,
    write_record,
)
from components.push.withdrawn import Note, note_file, write_note
from models.recipe.errors import InputError
from models.recipe.night import Cursor, Night
from models.recipe.recipe import Recipe

Make = Callable[..., Recipe]


def micros_of(day: str) -> int:
    return int(datetime.datetime.fromisoformat(day).replace(tzinfo=datetime.UTC).timestamp() * 1e6)


def day_of(number: int) -> str:
    return f"2026-01-{number:02d}"


@pytest.fixture
def on_day() -> Make:
    def make(day: int, warm: dict[str, Any] | None = None, **logs: Any) -> Recipe:
        streams = {
            name: {"path": f"{name}-{{YYYY}}{{MM}}{{DD}}.csv", "key": ["user"], "time": {"column": "time", "unit": "s"}}
            for name in ("view", "click")
        }
        return Recipe.model_validate(
            {
                "name": "shop",
                "logs": {"impressions": "view", "span": "1d", "day": day_of(day), "streams": streams, **logs},
                "split": {"eval_last": "1d", "train_last": "7d"},
                "features": {"user": {"kind": "categorical"}},
                "tasks": {"click": {"kind": "binary", "outcome": "click", "window": "1h"}},
                "training": {"start": "warm", "warm": warm or {}},
            }
        )

    return make


def record(version: int, day: int, **more: Any) -> Record:
    about = {"start": "cold", "cold_day": day_of(day), "pushed": True}
    cursor = Cursor(until=micros_of(day_of(day)) - 1, as_of=micros_of(day_of(day)) + 86_400_000_000)
    return Record(version=version, day=day_of(day), cursor=cursor, **{**about, **more})


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path, Path]:
    """(served, states, a state)."""
    state = tmp_path / "made"
    state.mkdir()
    (state / "variables.npz").write_text("weights")
    served = tmp_path / "serving" / "shop"
    served.mkdir(parents=True)
    return served, tmp_path / "states" / "shop", state


def test_the_first_night_is_cold_and_the_next_ones_are_warm(on_day: Make, places: tuple[Path, Path, Path]) -> None:
    served, states, state = places
    assert night_of(on_day(8), served, states) == Night(day=day_of(8), cold_day=day_of(8))
    write_record(states, record(100, 8), state)
    write_record(states, record(200, 9, start="warm", ancestor=100, cold_day=day_of(8)), state)
    found = night_of(on_day(10), served, states)
    assert found is not None
    assert (found.start, found.ancestor, found.cold_day) == ("warm", 200, day_of(8))
    assert Path(found.state) == states / "200" / STATE and (Path(found.state) / "variables.npz").is_file()
    assert found.cursor == read_records(states)[200].cursor and found.learned_until == found.cursor.until
    assert in_words(found, read_records(states)) == "2026-01-10, goes on from version 200 of 2026-01-09"
    # The same day again finds the same ancestor; an old day finds that of the days before it.
    assert night_of(on_day(9), served, states).ancestor == 100  # type: ignore[union-attr]
    assert night_of(on_day(8), served, states).ancestor is None  # type: ignore[union-attr]


def test_a_cold_start_is_due(on_day: Make, places: tuple[Path, Path, Path]) -> None:
    served, states, state = places
    write_record(states, record(100, 1), state)
    write_record(states, record(200, 7, start="warm", ancestor=100, cold_day=day_of(1)), state)
    warm = {"cold_every": "7d"}
    assert night_of(on_day(8, warm), served, states) == Night(
        day=day_of(8), cold_day=day_of(8), learned_until=micros_of(day_of(7)) - 1
    )
    assert night_of(on_day(8), served, states).start == "warm"  # type: ignore[union-attr]


def test_refused_nights_are_no_ancestors_and_leave_their_days_out(
    on_day: Make, places: tuple[Path, Path, Path]
) -> None:
    served, states, state = places
    write_record(states, record(100, 8), state)
    write_record(states, record(200, 9, pushed=False, left_out=(day_of(9),), reasons=("auc",)), None)
    found = night_of(on_day(10), served, states)
    assert found is not None and (found.ancestor, found.left_out) == (100, (day_of(9),))
    assert in_words(found, read_records(states)).endswith("; left out: 2026-01-09")
    assert night_of(on_day(9), served, states).left_out == ()  # type: ignore[union-attr]
    by_hand = night_of(on_day(10, left_out=[day_of(7)], taken_in=[day_of(9)]), served, states)
    assert by_hand is not None and by_hand.left_out == (day_of(7),)


def test_a_day_that_is_pushed_later_takes_its_refusal_back(on_day: Make, places: tuple[Path, Path, Path]) -> None:
    served, states, state = places
    write_record(states, record(200, 9, pushed=False, left_out=(day_of(9),)), None)
    write_record(states, record(300, 9), state)
    assert night_of(on_day(10), served, states).left_out == ()  # type: ignore[union-attr]
    write_record(states, record(400, 9, pushed=False, left_out=(day_of(8),)), None)
    assert night_of(on_day(10), served, states).left_out == (day_of(8),)  # type: ignore[union-attr]


def test_what_descends_from_a_withdrawn_version_is_no_ancestor(on_day: Make, places: tuple[Path, Path, Path]) -> None:
    served, states, state = places
    write_record(states, record(100, 7), state)
    write_record(states, record(200, 8, start="warm", ancestor=100), state)
    write_record(states, record(300, 9, start="warm", ancestor=200), state)
    write_note(served, 200, Note(at="2026-01-09T08:00:00.000000+00:00", served=100))
    assert night_of(on_day(10), served, states).ancestor == 100  # type: ignore[union-attr]
    note_file(served, 200).unlink()  # gatewise rollback --undo
    assert night_of(on_day(10), served, states).ancestor == 300  # type: ignore[union-attr]


def test_learned_days_are_those_that_no_pushed_model_has_learned(on_day: Make) -> None:
    night = Night(day=day_of(10), learned_until=micros_of(day_of(8)) + 5, left_out=(day_of(9),))
    assert learned_days(night, Cursor(until=micros_of(day_of(10)), as_of=0)) == (day_of(8),)
    assert learned_days(night, Cursor(until=micros_of(day_of(10)) + 1, as_of=0)) == (day_of(8), day_of(10))
    assert learned_days(Night(day=day_of(10)), Cursor(until=micros_of(day_of(10)), as_of=0)) == ()
    hours = Night(day="2026-01-10T05", learned_until=micros_of("2026-01-10T02:30"))
    assert learned_days(hours, Cursor(until=micros_of("2026-01-10T04"), as_of=0)) == ("2026-01-10T02", "2026-01-10T03")
    assert eval_days(on_day(10)) == (day_of(10),)


def test_an_older_day_does_not_replace_a_newer_one(on_day: Make, places: tuple[Path, Path, Path]) -> None:
    served, states, state = places
    write_record(states, record(100, 9), state)
    assert newer_day(states, served, day_of(8)) == record(100, 9)
    assert newer_day(states, served, day_of(9)) is None
    write_note(served, 100, Note(at="2026-01-09T08:00:00.000000+00:00", served=1))
    assert newer_day(states, served, day_of(8)) is None


def test_a_record_appears_whole_and_once(places: tuple[Path, Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    _, states, state = places

    def die(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("components.push.nights.os.rename", die)
        with pytest.raises(KeyboardInterrupt):
            write_record(states, record(100, 8), state)
    assert read_records(states) == {} and not (states / "100").exists()
    write_record(states, record(100, 8), state)
    assert [path.name for path in states.iterdir()] == ["100"]  # what was left is gone
    before = (states / "100").stat().st_mtime_ns
    write_record(states, record(100, 8), state)
    assert (states / "100").stat().st_mtime_ns == before
    write_record(states, record(100, 8, pushed=False), None)
    assert not (states / "100" / STATE).exists()
    (states / "100" / RECORD).write_text("{}")
    with pytest.raises(InputError, match="is not the record of a night"):
        read_records(states)


def test_states_of_pruned_versions_go_and_records_stay(places: tuple[Path, Path, Path]) -> None:
    _, states, state = places
    for version in (100, 200, 300):
        write_record(states, record(version, version // 100), state)
    write_record(states, record(250, 3, pushed=False), None)
    assert remove_states(states, kept=(200, 300)) == [100]
    assert not (states / "100" / STATE).exists() and (states / "200" / STATE).exists()
    assert list(read_records(states)) == [100, 200, 250, 300]
    assert remove_states(states, kept=(200, 300)) == []


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_ancestors_against_a_slow_reference(
    data: st.DataObject, on_day: Make, tmp_path_factory: pytest.TempPathFactory
) -> None:
    base = tmp_path_factory.mktemp("nights")
    served, states, state = base / "serving" / "shop", base / "states" / "shop", base / "made"
    served.mkdir(parents=True)
    state.mkdir()
    nights: list[dict[str, Any]] = []
    withdrawn: set[int] = set()
    for version in range(1, data.draw(st.integers(1, 8)) + 1):
        day = data.draw(st.integers(1, 9))
        found = night_of(on_day(day), served, states)
        assert found is not None
        # The reference: walk over all earlier nights, and up the chain of each.
        best: tuple[int, int] | None = None
        left_out: set[str] = set()
        for one in nights:
            if one["day"] >= day:
                continue
            if not one["pushed"]:
                again = [other for other in nights if other["day"] == one["day"] and other["version"] > one["version"]]
                left_out |= set() if any(other["pushed"] for other in again) else set(one["left_out"])
                continue
            up: int | None = one["version"]
            clean = True
            while up is not None:
                clean &= up not in withdrawn
                up = next(other["ancestor"] for other in nights if other["version"] == up)
            if clean and (best is None or (one["day"], one["version"]) > best):
                best = (one["day"], one["version"])
        assert found.ancestor == (None if best is None else best[1])
        assert set(found.left_out) == left_out
        pushed = data.draw(st.booleans())
        held = tuple(
            data.draw(st.lists(st.sampled_from([day_of(number) for number in range(1, 9)]), max_size=2, unique=True))
        )
        about = {
            "version": version,
            "day": day,
            "pushed": pushed,
            "ancestor": found.ancestor,
            "left_out": () if pushed else held,
        }
        nights.append(about)
        made = record(
            version, day, pushed=pushed, ancestor=found.ancestor, start=found.start, left_out=about["left_out"]
        )
        write_record(states, made, state if pushed else None)
        for one in data.draw(st.lists(st.integers(1, version), max_size=2, unique=True)):
            if one in withdrawn:
                note_file(served, one).unlink()
                withdrawn.remove(one)
            else:
                write_note(served, one, Note(at="2026-01-09T08:00:00.000000+00:00", served=1))
                withdrawn.add(one)
