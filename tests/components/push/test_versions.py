"""Publishing a version: whole or not at all, once, whatever is killed in between."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from components.push.lock import LOCK, alone_in
from components.push.versions import LITTER_SECONDS, publish, version_of_both
from models.files.version_folders import version_folders
from models.recipe.errors import InputError

ROOT = Path(__file__).parents[3]

STEPS = {
    "before the lock": ("lock", "fcntl.flock"),
    "with the lock": ("versions", "_remove_litter"),
    "before the copy": ("versions", "shutil.copytree"),
    "after the copy": ("versions", "_check_whole"),
    "before the rename": ("versions", "os.rename"),
    "after the rename": ("versions", "_check_renamed"),
}
"""Where a push is killed -> the module and the function that is never called."""

KILLED = """
import os, shutil, sys
from pathlib import Path
import components.push.lock as lock
import components.push.versions as versions

source, base, step = sys.argv[1:]
def half(source, target):
    Path(target).mkdir()
    shutil.copyfile(Path(source, "saved_model.pb"), Path(target, "saved_model.pb"))
    die()
def die(*arguments, **options):
    os.kill(os.getpid(), 9)
if step == "half a copy":
    versions.shutil.copytree = half
else:
    module, name = step.split(":")
    *way, last = name.split(".")
    place = {"lock": lock, "versions": versions}[module]
    for part in way:
        place = getattr(place, part)
    setattr(place, last, die)
versions.publish(Path(source), Path(base), 1700000000)
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


def visible(base: Path) -> set[str]:
    """What lies there beside the lock."""
    return {path.name for path in base.iterdir()} - {LOCK}


def test_the_version_is_a_copy_of_the_model(model: Path, tmp_path: Path) -> None:
    target = publish(model, tmp_path / "serving" / "shop", 1700000000)
    assert target == tmp_path / "serving" / "shop" / "1700000000"
    assert tree(target) == tree(model)
    assert visible(target.parent) == {"1700000000"}


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
    with pytest.raises(InputError, match=r"exists and differs from the model.*serving\.model_name"):
        publish(model, tmp_path / "serving", 1700000000)
    assert tree(target) == before


@pytest.mark.parametrize("step", ["half a copy", *STEPS])
def test_killed_and_repeated_leaves_one_whole_version(model: Path, tmp_path: Path, step: str) -> None:
    base = tmp_path / "serving"
    place = ":".join(STEPS.get(step, (step,)))
    died = subprocess.run([sys.executable, "-c", KILLED, str(model), str(base), place], cwd=ROOT, capture_output=True)
    assert died.returncode == -signal.SIGKILL, died.stderr
    for version in version_folders(base).values():
        assert tree(version) == tree(model)
    publish(model, base, 1700000000)
    assert visible(base) == {"1700000000"}
    assert tree(base / "1700000000") == tree(model)


def test_only_what_is_certainly_nobody_s_is_removed(model: Path, tmp_path: Path) -> None:
    base, here, token = tmp_path / "serving", socket.gethostname(), "0" * 32
    kept = ("1500000000", ".notes", "1400000000.tmp", ".1.tmp", f".3.another-pod.{token}.tmp", f".4.{here}.12.tmp")
    removed = (".2.tmp", f".5.{here}.{token}.tmp", f".6.another-pod.{token}.tmp")
    for name in (*kept, *removed):
        (base / name).mkdir(parents=True)
    for name in (".2.tmp", f".6.another-pod.{token}.tmp", ".notes"):
        os.utime(base / name, (time.time() - LITTER_SECONDS - 60,) * 2)
    publish(model, base, 1700000000)
    assert visible(base) == {"1700000000", *kept}


TWO_PUSHES = """
import sys
from pathlib import Path
from components.push.lock import alone_in
from components.push.versions import publish, version_of_both

name, base, lock = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
if lock == "no":
    import components.push.lock as module
    def never(*arguments):
        raise OSError(37, "No locks available")
    module.fcntl.flock = never
sys.stdin.readline()
for second in range(1, 41):
    source = name / str(second)
    (source / "variables").mkdir(parents=True)
    for file in ("saved_model.pb", "variables/variables.index", "variables/a", "variables/b"):
        (source / file).write_text(f"{name} {second}")
    while True:
        try:
            with alone_in([base]):
                print(publish(source, base, version_of_both(second, [(source, base)])))
            break
        except Exception as error:
            if lock == "yes" or "exists and differs from the model" not in str(error):
                raise
"""


@pytest.mark.parametrize("lock", ["yes", "no"])
def test_two_pushes_at_once(tmp_path: Path, lock: str) -> None:
    """Forty models each, of the same seconds: every one is there, whole, under a number of its own. Without locks, as on some
    file servers, a push may be refused its number and repeated, and nothing is half there either."""
    base, command = tmp_path / "serving", [sys.executable, "-c", TWO_PUSHES]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    pushes = {
        name: subprocess.Popen([*command, str(tmp_path / name), str(base), lock], cwd=ROOT, text=True, **pipes)  # type: ignore[call-overload]
        for name in ("one", "two")
    }
    for process in pushes.values():
        process.stdin.write("go\n")
        process.stdin.flush()
    placed = {}
    for name, process in pushes.items():
        output, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
        placed |= {Path(line): tmp_path / name / str(second) for second, line in enumerate(output.split(), 1)}
    assert len(placed) == 80 and visible(base) == {path.name for path in placed}
    for version, source in placed.items():
        assert tree(version) == tree(source)


def test_a_lock_of_a_process_that_is_killed_or_stopped(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    holding = (
        "import sys, time\nfrom pathlib import Path\nfrom components.push.lock import alone_in\n"
        "with alone_in([Path(sys.argv[1])]):\n    print('held', flush=True)\n    time.sleep(60)\n"
    )
    command = [sys.executable, "-c", holding, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        with alone_in([tmp_path], wait=0.2) as alone:
            assert not alone
        assert "waiting for another push" in caplog.text and "continuing without the lock" in caplog.text
        holder.kill()
    with alone_in([tmp_path, tmp_path / "other", tmp_path], wait=0) as alone, alone_in([tmp_path], wait=0) as again:
        assert alone and again


@pytest.mark.parametrize("lost", ["saved_model.pb", "variables/variables.data-00000-of-00001"])
def test_a_model_that_changes_while_it_is_copied_is_refused(
    model: Path, tmp_path: Path, lost: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    copytree = shutil.copytree

    def losing(source: Path, target: Path, *rest: Any) -> None:
        copytree(source, target, *rest)
        Path(target, lost).unlink(missing_ok=True)

    monkeypatch.setattr(shutil, "copytree", losing)
    with pytest.raises(InputError, match="differ from those in .*run the same command again"):
        publish(model, tmp_path / "serving", 1700000000)
    assert visible(tmp_path / "serving") == set()


def test_a_version_that_is_not_whole_once_it_is_there_is_taken_back(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename, calls = os.rename, []

    def losing(source: Path, target: Path) -> None:
        rename(source, target)
        if not calls:
            (target / "saved_model.pb").unlink()
        calls.append(target)

    monkeypatch.setattr(os, "rename", losing)
    with pytest.raises(InputError, match="the files written to .* differ from those in"):
        publish(model, tmp_path / "serving", 1700000000)
    assert visible(tmp_path / "serving") == set()


@pytest.mark.parametrize("lacking", ["saved_model.pb", "variables/variables.data-00000-of-00001"])
def test_half_a_version_is_not_taken_for_the_model(model: Path, tmp_path: Path, lacking: str) -> None:
    """As another tool may leave it. The executor takes the next number."""
    base = tmp_path / "serving"
    target = publish(model, base, 7)
    (target / lacking).unlink()
    with pytest.raises(InputError, match="exists and differs from the model"):
        publish(model, base, 7)
    assert version_of_both(7, [(model, base)]) == 8


@pytest.mark.parametrize("there", ["a file", "a link to nowhere"])
def test_what_is_in_the_place_of_a_version_is_told(model: Path, tmp_path: Path, there: str) -> None:
    base = tmp_path / "serving"
    base.mkdir()
    if there == "a file":
        (base / "7").write_text("notes")
    else:
        (base / "7").symlink_to(tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"serving/7 exists and differs from the model"):
        publish(model, base, 7)
    assert visible(base) == {"7"}
    assert version_of_both(7, [(model, base)]) == 8


@pytest.mark.parametrize("there", ["a file", "a link to itself", "a file above"])
def test_what_is_in_the_place_of_the_folder_is_told(model: Path, tmp_path: Path, there: str) -> None:
    base = tmp_path / "serving"
    if there == "a link to itself":
        base.symlink_to(base)
    else:
        base.write_text("notes")
    with pytest.raises(
        InputError, match=r"Push: \S+serving\S*: expected a folder of versions.*Move the existing file away"
    ):
        publish(model, base / "shop" if there == "a file above" else base, 7)


def test_a_version_that_a_server_would_not_take_is_told(
    model: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Of folders with larger numbers, of milliseconds or of a clock that was ahead, a server takes the largest."""
    base = tmp_path / "serving"
    publish(model, base, 1700000000)
    publish(model, base, 1700000001)
    assert "not the newest" not in caplog.text
    publish(model, base, 7)
    assert "version 7 is not the newest" in caplog.text and "keeps serving 1700000001" in caplog.text
    assert f"serving-config {base} --stable 7" in caplog.text


def test_what_is_no_model_is_refused(tmp_path: Path, model: Path) -> None:
    with pytest.raises(InputError, match=r"has no saved_model\.pb"):
        publish(tmp_path, tmp_path / "serving", 1700000000)
    with pytest.raises(InputError, match="expected a positive version, received 0"):
        publish(model, tmp_path / "serving", 0)
