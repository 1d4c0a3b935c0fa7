"""The folder that the server looks into: half-copied versions, numbers that are none, and a file system that is away."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from components.push.rollback import roll_back, undo
from models.files.version_folders import WHOLE
from pipeline.serving.models import Models
from pipeline.serving.server import Server


@pytest.fixture(scope="module")
def pushed(tmp_path_factory: pytest.TempPathFactory, push: Callable[..., Path]) -> Path:
    """A version, to be copied."""
    return push(tmp_path_factory.mktemp("pushed"), 2)


@pytest.fixture
def shop(root: Path, tmp_path: Path) -> Path:
    """A folder of versions with one in it."""
    shutil.copytree(root / "serving" / "shop" / "3", tmp_path / "shop" / "1")
    return tmp_path / "shop"


def test_a_version_that_is_half_there_is_tried_again_when_it_has_changed(shop: Path, pushed: Path, root: Path) -> None:
    """As a tool copies it that does not rename."""
    models = Models(shop)
    tried: list[int] = []
    load = models._load
    models._load = lambda name, model, version: (tried.append(version), load(name, model, version))[1]  # type: ignore
    (shop / "2" / "variables").mkdir(parents=True)
    models.poll()
    assert models.served == {"shop": 1} and tried == [], "without saved_model.pb it is none yet"
    files = sorted(
        (path for path in pushed.rglob("*") if path.is_file()), key=lambda path: path.name != "saved_model.pb"
    )
    assert files[0].name == "saved_model.pb" and len(files) > 2
    for number, path in enumerate(files, 1):
        target = shop / "2" / path.relative_to(pushed)
        target.parent.mkdir(exist_ok=True)
        shutil.copyfile(path, target)
        for _ in range(3):
            models.poll()
        if models.served == {"shop": 2}:
            break
        assert tried == [2] * number, "once for each change"
    assert models.served == {"shop": 2} and len(tried) > 1
    assert [entry.status.error_code for entry in models.status("shop", 2).model_version_status] == [0]


def test_a_folder_whose_number_is_no_version(shop: Path, pushed: Path, caplog: pytest.LogCaptureFixture) -> None:
    mistaken = ["99999999999999999999", str(2**63), "007", "0"]
    for name in mistaken:
        shutil.copytree(pushed, shop / name)
    caplog.set_level(logging.WARNING)
    models = Models(shop)
    shutil.copytree(pushed, shop / "2")
    for _ in range(2):
        models.poll()
    assert models.served == {"shop": 2}
    assert {entry.version for entry in models.status("shop").model_version_status} == {1, 2}
    for name in mistaken:
        assert caplog.text.count(f"shop/{name}: not a version: expected a number from 1 to {2**63 - 1}") == 1


def test_a_look_that_fails_is_not_the_last(
    shop: Path, pushed: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    server = Server(shop, "127.0.0.1", 0, 0, poll_seconds=0.05)
    try:
        away, poll = [True, True, False], server.models.poll

        def failing() -> None:
            if away.pop(0) if len(away) > 1 else away[0]:
                raise OSError(116, "Stale file handle")
            poll()

        monkeypatch.setattr(server.models, "poll", failing)
        shutil.copytree(pushed, shop / ".2.tmp")
        (shop / ".2.tmp").rename(shop / "2")
        end = time.monotonic() + 60
        while server.models.served != {"shop": 2} and time.monotonic() < end:
            time.sleep(0.05)
        assert server.models.served == {"shop": 2} and "Cannot read the folder of the models" in caplog.text
    finally:
        server.stop()


def test_a_rollback_is_followed_back_and_forth(shop: Path, pushed: Path) -> None:
    """Also past a version that cannot be loaded, which is tried once."""
    shutil.copytree(pushed, shop / "2")
    models = Models(shop)
    for act, expected in ((roll_back, 1), (undo, 2), (roll_back, 1)):
        act(shop)
        for _ in range(2):
            models.poll()
        assert models.served == {"shop": expected}
        states = {one.version: one.state for one in models.status("shop").model_version_status}
        assert states == {version: 30 if version == expected else 50 for version in (1, 2)}, "AVAILABLE and END"
    (shop / "3" / "variables").mkdir(parents=True)
    for file in WHOLE:
        (shop / "3" / file).write_bytes(b"broken")
    models.poll()
    assert models.served == {"shop": 1}
    roll_back(shop, 2)
    models.poll()
    assert models.served == {"shop": 2}
