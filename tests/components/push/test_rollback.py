"""Rollbacks of a pair of models, killed anywhere, against a reference of sets."""

from __future__ import annotations

import dataclasses
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.push import rollback
from components.push.lock import LOCK
from components.push.rollback import common_versions, folders_of, interrupted, roll_back, undo
from components.push.serving_choice import ServingChoice, write_choice
from components.push.withdrawn import fingerprint, note_file, read_note, read_notes, withdrawn_folder
from models.files.version_folders import WHOLE, model_folders, version_folders
from models.recipe.errors import InputError


def push(served: Path, *versions: int, partner: bool = True) -> None:
    """The retrieval model first, as the pipeline pushes."""
    for version in versions:
        for folder in ([served.with_name("shop_retrieval")] if partner else []) + [served]:
            for file in WHOLE:
                path = folder / str(version) / file
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(f"{folder.name} {version}")


@pytest.fixture
def served(tmp_path: Path) -> Path:
    push(tmp_path / "serving" / "shop", 100, 200, 300)
    return tmp_path / "serving" / "shop"


def state(served: Path) -> tuple[list[set[int]], list[set[int]]]:
    """(versions that servers see, withdrawn versions), each of the ranker and of the retrieval model."""
    folders = folders_of(served)
    for folder in folders:
        hidden = {int(path.name) for path in withdrawn_folder(folder).glob("*") if path.is_dir()}
        assert set(read_notes(folder)) == hidden
        for place in (folder, withdrawn_folder(folder)):
            for version, path in version_folders(place).items():
                assert (path / "saved_model.pb").read_text() == f"{folder.name} {version}"
    return [set(version_folders(folder)) for folder in folders], [set(read_notes(folder)) for folder in folders]


def test_the_newest_of_both_models_is_withdrawn(served: Path) -> None:
    done = roll_back(served, reason="clicks fell")
    assert (done.models, done.newest, done.finished) == (("shop", "shop_retrieval"), 200, False)
    assert (done.plan.before, done.plan.to, done.plan.withdraw, done.plan.restore) == (300, 200, (300,), ())
    assert state(served) == ([{100, 200}] * 2, [{300}] * 2)
    for name in ("shop", "shop_retrieval"):
        note = read_note(served.with_name(name), 300)
        assert note is not None and (note.served, note.reason) == (200, "clicks fell")
        assert (served.parent / ".withdrawn" / name / "300" / "saved_model.pb").is_file()
    assert {path.name for path in served.iterdir()} == {"100", "200", LOCK}, "no server reads more than numbers here"
    assert model_folders(served.parent) == [served, served.with_name("shop_retrieval")]
    assert fingerprint(str(served), str(served.with_name("shop_retrieval"))) == "shop: 300; shop_retrieval: 300"

    assert roll_back(served).newest == 100
    assert undo(served).plan.restore == (200,)
    assert undo(served).newest == 300
    assert state(served) == ([{100, 200, 300}] * 2, [set()] * 2)
    assert fingerprint(str(served)) == ""


def test_an_undo_restores_all_of_one_rollback_and_a_number_only_that_version(served: Path) -> None:
    assert roll_back(served, 100).plan.withdraw == (200, 300)
    done = roll_back(served, 300)
    assert (done.plan.restore, done.plan.withdraw, done.newest) == ((300,), (), 300)
    assert state(served) == ([{100, 300}] * 2, [{200}] * 2)
    done = roll_back(served, 200)
    assert (done.plan.restore, done.plan.withdraw, done.newest) == ((200,), (300,), 200)
    done = roll_back(served, 200)
    assert (done.plan.restore, done.plan.withdraw, done.newest) == ((), (), 200)
    push(served, 400)
    assert undo(served).newest == 400, "a newer push stays the newest"
    assert state(served) == ([{100, 200, 300, 400}] * 2, [set()] * 2)


def test_one_model_alone(tmp_path: Path) -> None:
    push(tmp_path / "shop", 1, 2, partner=False)
    assert roll_back(tmp_path / "shop").models == ("shop",)
    assert set(version_folders(tmp_path / "shop")) == {1} and not (tmp_path / "shop_retrieval").exists()


def test_a_half_pushed_pair_is_no_version_to_return_to(served: Path) -> None:
    """The push of the ranker 300 was killed: 200 is the newest of both."""
    (served / "300").rename(served.parent / "elsewhere")
    assert common_versions(folders_of(served)) == [100, 200]
    done = roll_back(served)
    assert (done.plan.to, done.plan.withdraw) == (100, (200, 300))
    assert set(version_folders(served.with_name("shop_retrieval"))) == {100}


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (
            lambda served: roll_back(served, 290),
            r"no version 290; there are 100, 200, 300, and withdrawn none\. Did you mean 300\?",
        ),
        (
            lambda served: (roll_back(served, 100), roll_back(served)),
            "nothing earlier to serve; its versions are 100. Withdrawn: 200, 300",
        ),
        (undo, "no version is withdrawn, so there is nothing to undo"),
    ],
)
def test_errors(served: Path, act: Callable[[Path], Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        act(served)
    assert interrupted(served) is None


def test_a_version_that_one_model_lacks_is_refused(served: Path) -> None:
    push(served, 50, partner=False)
    with pytest.raises(
        InputError, match="version 50 is incomplete or missing in shop_retrieval.*Choose one of 100, 200, 300"
    ):
        roll_back(served, 50)


def test_a_version_that_a_server_loads_by_its_number_is_not_withdrawn(served: Path) -> None:
    write_choice(served, ServingChoice(stable=300))
    with pytest.raises(InputError, match=r"stable.config has version 300.*serving-config .*/shop --stable 200"):
        roll_back(served)
    assert state(served) == ([{100, 200, 300}] * 2, [set()] * 2)
    write_choice(served, ServingChoice(stable=200))
    assert roll_back(served).newest == 200


def test_nothing_moves_where_the_name_is_taken(served: Path) -> None:
    (withdrawn_folder(served) / "300").mkdir(parents=True)
    with pytest.raises(InputError, match="300: exists, so .*300 cannot be moved there"):
        roll_back(served)
    assert set(version_folders(served)) == {100, 200, 300}


def test_another_file_system_is_told(served: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def rename(source: Path, target: Path) -> None:
        raise OSError(18, "Invalid cross-device link", str(source), None, str(target))

    with monkeypatch.context() as patch:
        patch.setattr(rollback.os, "rename", rename)
        with pytest.raises(InputError, match="is on another file system.*run the same command again"):
            roll_back(served)
    done = roll_back(served)
    assert done.finished and state(served) == ([{100, 200}] * 2, [{300}] * 2)


def test_a_note_that_is_none_stops_everything_that_needs_it(served: Path) -> None:
    roll_back(served)
    note_file(served, 300).write_text("{}")
    with pytest.raises(InputError, match=r"300\.json: is not what gatewise rollback writes"):
        read_notes(served)


# ---- kills ------------------------------------------------------------------------------------------------------


class Killed(BaseException):
    """In place of SIGKILL, between two changes of the file system."""


@dataclasses.dataclass
class Reference:
    """What the folders should have: the versions that servers see, and those of each rollback that are withdrawn."""

    live: set[int]
    rollbacks: list[set[int]] = dataclasses.field(default_factory=list)

    @property
    def withdrawn(self) -> set[int]:
        return set().union(*self.rollbacks)

    def roll_back(self, version: int | None) -> bool:
        if version is None:
            if len(self.live) < 2:
                return False
            version = sorted(self.live)[-2]
        if version not in self.live | self.withdrawn:
            return False
        self.live.add(version)
        self.rollbacks = [kept for one in self.rollbacks if (kept := one - {version})]
        newer = {one for one in self.live if one > version}
        self.live -= newer
        self.rollbacks += [newer] if newer else []
        return True

    def undo(self) -> bool:
        if not self.rollbacks:
            return False
        self.live |= self.rollbacks.pop()
        return True


@pytest.fixture(scope="module")
def killing() -> Iterator[dict[str, Any]]:
    """{"left": changes until the kill, "look": called after each change}. Counts every change a rollback makes."""
    about: dict[str, Any] = {"left": 10**9, "look": lambda: None}
    with pytest.MonkeyPatch.context() as patch:
        for owner, name in ((os, "rename"), (os, "replace"), (Path, "unlink")):
            change = getattr(owner, name)

            def counted(*arguments: Any, change: Any = change, **options: Any) -> Any:
                if about["left"] == 0:
                    raise Killed
                about["left"] -= 1
                result = change(*arguments, **options)
                about["look"]()
                return result

            patch.setattr(owner, name, counted)
        yield about


ACTION = st.one_of(
    st.just(("push", None)),
    st.just(("undo", None)),
    st.tuples(st.just("rollback"), st.none() | st.integers(0, 6).map(lambda number: 100 + number)),
)


@settings(deadline=None, max_examples=150)
@given(actions=st.lists(st.tuples(ACTION, st.lists(st.integers(0, 14), max_size=2)), min_size=1, max_size=8))
def test_no_sequence_of_kills_loses_a_version(killing: dict[str, Any], actions: list[Any]) -> None:
    """After a kill the same command is run again. At any time each model has a served version, and a served ranker its partner."""
    with tempfile.TemporaryDirectory() as folder:
        served = Path(folder) / "serving" / "shop"
        partner = served.with_name("shop_retrieval")
        push(served, 101)
        reference, newest = Reference({101}), 101

        def look() -> None:
            there = [set(version_folders(place)) for place in (served, partner)]
            assert all(there) and max(there[0]) in there[1]
            for place in (served, partner):
                hidden = set(version_folders(withdrawn_folder(place)))
                assert set(version_folders(place)) | hidden == set(range(101, newest + 1))
                assert hidden <= set(read_notes(place)), "what servers do not see is no ancestor"

        for (action, version), kills in actions:
            if action == "push":
                newest += 1
                push(served, newest)
                reference.live.add(newest)
                continue
            possible = reference.undo() if action == "undo" else reference.roll_back(version)
            killing["look"] = look
            for left in [*kills, 10**9]:
                killing["left"] = left
                try:
                    undo(served) if action == "undo" else roll_back(served, version)
                    break
                except Killed:
                    continue
                except InputError:
                    assert not possible
                    break
            killing["left"], killing["look"] = 10**9, lambda: None
            assert interrupted(served) is None
            assert state(served) == ([reference.live] * 2, [reference.withdrawn] * 2)
