"""Publishing a version: whole or not at all, once, whatever is killed in between."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from components.push.versions import publish
from models.errors import InputError

ROOT = Path(__file__).parents[3]

KILLED_WHILE_COPYING = """
import os, shutil, sys
from pathlib import Path
import components.push.versions as versions

def half(source, target):
    Path(target).mkdir()
    shutil.copy(Path(source, "saved_model.pb"), target)
    os.kill(os.getpid(), 9)

versions.shutil.copytree = half
versions.publish(Path(sys.argv[1]), Path(sys.argv[2]), 1700000000)
"""

KILLED_AFTER_RENAMING = """
import os, sys
from pathlib import Path
import components.push.versions as versions

rename = os.rename
def then_die(source, target):
    rename(source, target)
    os.kill(os.getpid(), 9)

versions.os.rename = then_die
versions.publish(Path(sys.argv[1]), Path(sys.argv[2]), 1700000000)
"""


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"graph")
    (folder / "variables" / "variables.index").write_bytes(b"checksums")
    (folder / "variables" / "variables.data-00000-of-00001").write_bytes(b"weights")
    return folder


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_version_is_a_copy_of_the_model(model: Path, tmp_path: Path) -> None:
    target = publish(model, tmp_path / "serving" / "shop", 1700000000)
    assert target == tmp_path / "serving" / "shop" / "1700000000"
    assert tree(target) == tree(model)
    assert [path.name for path in target.parent.iterdir()] == ["1700000000"]


def test_a_version_that_is_there_is_not_written_again(model: Path, tmp_path: Path) -> None:
    target = publish(model, tmp_path / "serving", 1700000000)
    before = target.stat().st_ino
    assert publish(model, tmp_path / "serving", 1700000000) == target
    assert target.stat().st_ino == before


@pytest.mark.parametrize("changed", ["saved_model.pb", "variables/variables.index"])
def test_another_model_under_the_same_version_is_refused(model: Path, tmp_path: Path, changed: str) -> None:
    target = publish(model, tmp_path / "serving", 1700000000)
    before = tree(target)
    (model / changed).write_bytes(b"another")
    with pytest.raises(InputError, match=r"exists and holds another model.*serving\.model_name"):
        publish(model, tmp_path / "serving", 1700000000)
    assert tree(target) == before


@pytest.mark.parametrize("script", [KILLED_WHILE_COPYING, KILLED_AFTER_RENAMING])
def test_killed_and_repeated_leaves_one_whole_version(model: Path, tmp_path: Path, script: str) -> None:
    base = tmp_path / "serving"
    died = subprocess.run([sys.executable, "-c", script, str(model), str(base)], cwd=ROOT, capture_output=True)
    assert died.returncode == -signal.SIGKILL, died.stderr
    for version in [path for path in base.iterdir() if path.name.isdigit()]:
        assert tree(version) == tree(model)
    publish(model, base, 1700000000)
    assert [path.name for path in base.iterdir()] == ["1700000000"]
    assert tree(base / "1700000000") == tree(model)


def test_only_unfinished_pushes_are_removed(model: Path, tmp_path: Path) -> None:
    base = tmp_path / "serving"
    for name in (".1600000000.tmp", "1500000000", ".notes", "1400000000.tmp"):
        (base / name).mkdir(parents=True)
    publish(model, base, 1700000000)
    assert {path.name for path in base.iterdir()} == {"1700000000", "1500000000", ".notes", "1400000000.tmp"}


def test_what_is_no_model_is_refused(tmp_path: Path, model: Path) -> None:
    with pytest.raises(InputError, match=r"has no saved_model\.pb"):
        publish(tmp_path, tmp_path / "serving", 1700000000)
    with pytest.raises(InputError, match="expected a positive version, received 0"):
        publish(model, tmp_path / "serving", 0)
