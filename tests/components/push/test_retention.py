"""Pruning after a push: the newest and the chosen stay, pairs go together, whatever is killed or comes in between."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from components.push import retention
from components.push.retention import prune
from components.push.serving_choice import ServingChoice, write_choice


def push(folder: Path, *versions: int) -> Path:
    for version in versions:
        (folder / str(version) / "variables").mkdir(parents=True, exist_ok=True)
        (folder / str(version) / "saved_model.pb").write_bytes(b"graph")
        (folder / str(version) / "variables" / "variables.index").write_bytes(b"checksums")
    return folder


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.is_dir()}


def left(folder: Path) -> list[int]:
    return sorted(int(name) for name in names(folder))


def test_the_newest_stay(tmp_path: Path) -> None:
    push(tmp_path, 3, 20, 100, 7)
    assert prune(2, tmp_path) == [3, 7] and left(tmp_path) == [20, 100]
    assert prune(2, tmp_path) == [] and prune(5, tmp_path) == []


@pytest.mark.parametrize(
    "choice",
    [
        ServingChoice(stable=1),
        ServingChoice(canary=1),
        ServingChoice(keep=(1,)),
        ServingChoice(previous=(1,)),
        ServingChoice(stable=1, canary="newest"),
    ],
)
def test_what_is_chosen_stays(choice: ServingChoice, tmp_path: Path) -> None:
    push(tmp_path, 1, 2, 3, 4)
    write_choice(tmp_path, choice)
    assert prune(2, tmp_path) == [2] and left(tmp_path) == [1, 3, 4]


def test_where_the_choice_cannot_be_read_nothing_goes(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    push(tmp_path, 1, 2, 3)
    (tmp_path / "serving.json").write_text("{")
    assert prune(2, tmp_path) == [] and left(tmp_path) == [1, 2, 3]
    assert "the served versions are unknown" in caplog.text


def test_what_is_no_whole_version_is_left_to_a_person(tmp_path: Path) -> None:
    push(tmp_path, 2, 3, 4)
    for name in ("1", "notes", ".9.tmp"):
        (tmp_path / name).mkdir()
    assert prune(2, tmp_path) == [2] and names(tmp_path) == {"1", "notes", ".9.tmp", "3", "4"}


def test_half_copied_versions_do_not_push_whole_ones_out(tmp_path: Path) -> None:
    """What another tool copies there, or left there half, is not among those that are kept, and is left to a person."""
    push(tmp_path, 1, 2, 3, 4, 8, 9)
    for half in ("1", "8", "9"):
        shutil.rmtree(tmp_path / half / "variables")
    assert prune(2, tmp_path) == [2] and left(tmp_path) == [1, 3, 4, 8, 9]


def test_what_was_pushed_just_now_stays_beside_larger_numbers(tmp_path: Path) -> None:
    """Such as of milliseconds, or of a clock that was ahead."""
    push(tmp_path, 1700000000, 1700000001, 1700000000000, 1700000001000)
    assert prune(2, tmp_path, pushed=1700000001) == [1700000000]
    assert left(tmp_path) == [1700000001, 1700000000000, 1700000001000]


def test_of_a_link_only_the_link_goes(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    elsewhere = push(tmp_path / "elsewhere", 1)
    folder = push(tmp_path / "shop", 2, 3)
    (folder / "1").symlink_to(elsewhere / "1")
    assert prune(2, folder) == [1] and left(elsewhere) == [1]
    assert {path.name for path in folder.iterdir()} == {"2", "3"} and "cannot remove" not in caplog.text


@pytest.mark.parametrize("seed", range(30))
def test_pairs_against_a_slow_reference(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    ranker, retrieval = tmp_path / "shop", tmp_path / "shop_retrieval"
    versions = {folder: set(chance.sample(range(1, 15), chance.randint(1, 12))) for folder in (ranker, retrieval)}
    for folder, own in versions.items():
        push(folder, *own)
    chosen = chance.sample(range(1, 15), 2)
    write_choice(ranker, ServingChoice(stable=chosen[0], keep=(chosen[1],)))
    keep = chance.randint(2, 4)
    folders = [ranker, retrieval]
    chance.shuffle(folders)
    prune(keep, *folders)
    whole = sorted((version for version in range(15) if all(version in own for own in versions.values())), reverse=True)
    for folder, own in versions.items():
        stay = []
        for version in sorted(own):
            newer_pairs = sum(pair > version for pair in whole)
            if len(whole) <= keep or newer_pairs < keep or version in chosen:
                stay.append(version)
        assert left(folder) == stay


def test_a_half_pushed_pair_is_not_counted(tmp_path: Path) -> None:
    ranker, retrieval = push(tmp_path / "a", 1, 2, 3), push(tmp_path / "b", 1, 2, 3, 4)
    assert prune(2, retrieval, ranker) == [1]
    assert left(ranker) == [2, 3] and left(retrieval) == [2, 3, 4]


def test_killed_while_removing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a version is never seen under its number, and the next pruning removes the rest."""
    push(tmp_path, 1, 2, 3)
    with monkeypatch.context() as patch:
        patch.setattr(retention.shutil, "rmtree", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            prune(2, tmp_path)
    assert names(tmp_path) == {".1.pruned", "2", "3"}
    prune(2, tmp_path)
    assert names(tmp_path) == {"2", "3"}


def test_killed_before_a_chosen_version_came_back(tmp_path: Path) -> None:
    push(tmp_path, 2, 3)
    push(tmp_path / "elsewhere", 1)
    (tmp_path / "elsewhere" / "1").rename(tmp_path / ".1.pruned")
    (tmp_path / "elsewhere").rmdir()
    write_choice(tmp_path, ServingChoice(stable=1))
    prune(2, tmp_path)
    assert left(tmp_path) == [1, 2, 3]


def between(monkeypatch: pytest.MonkeyPatch, what: Callable[[], None]) -> None:
    """Runs `what` right after a version was renamed."""
    rename = os.rename

    def then(source: Path, target: Path) -> None:
        rename(source, target)
        if str(target).endswith(".pruned"):
            what()

    monkeypatch.setattr(retention.os, "rename", then)


def test_a_version_that_is_chosen_meanwhile_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    push(tmp_path, 1, 2, 3)
    between(monkeypatch, lambda: write_choice(tmp_path, ServingChoice(stable=1)))
    assert prune(2, tmp_path) == [] and left(tmp_path) == [1, 2, 3]


def test_a_choice_spoilt_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    push(tmp_path, 1, 2, 3)
    between(monkeypatch, lambda: (tmp_path / "serving.json").write_text("{") and None)
    assert prune(2, tmp_path) == [] and left(tmp_path) == [1, 2, 3]


def test_the_partner_s_push_was_faster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ranker, retrieval = push(tmp_path / "a", 1, 2, 3), push(tmp_path / "b", 1, 2, 3)
    between(monkeypatch, lambda: shutil.rmtree(retrieval / "1", ignore_errors=True))
    assert prune(2, ranker, retrieval) == [1]
    assert left(ranker) == left(retrieval) == [2, 3]


def test_what_cannot_be_removed_does_not_fail_the_push(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    push(tmp_path, 1, 2, 3)
    with monkeypatch.context() as patch:
        patch.setattr(
            retention.shutil, "rmtree", lambda _: (_ for _ in ()).throw(OSError(16, "Device or resource busy"))
        )
        prune(2, tmp_path)
    assert "cannot remove" in caplog.text and names(tmp_path) == {".1.pruned", "2", "3"}
