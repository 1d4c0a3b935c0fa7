"""A machine that refuses is no defect: one line that names the thing and the cure, and exit code 1."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from models.recipe.errors import InputError
from pipeline import cli
from pipeline.machine_faults import machine_fault, machine_faults_told


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "runs/x"),
            ("the disk or your quota is full", "'runs/x'", "Free some space", "--root", "TMPDIR"),
        ),
        (
            FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp', '/var/tmp']"),
            ("no folder for temporary files is writable", "'/var/tmp'", "TMPDIR"),
        ),
        (OSError(errno.EDQUOT, os.strerror(errno.EDQUOT)), ("your quota is full",)),
        (OSError(errno.EFBIG, os.strerror(errno.EFBIG)), ("exceeds the size limit of the process", "ulimit -f")),
        (OSError(errno.EMFILE, os.strerror(errno.EMFILE)), ("too many files are open", "ulimit -n")),
        (OSError(errno.EROFS, os.strerror(errno.EROFS), "/boot/x"), ("mounted read-only", "'/boot/x'")),
        (
            PermissionError(errno.EACCES, os.strerror(errno.EACCES), "/root/x"),
            ("/root/x: Permission denied", "change the permissions"),
        ),
        (
            RuntimeError("\n[Errno 28] No space left on device: 'a' [while running 'write']"),
            ("(\\[Errno 28\\] No space",),
        ),
        (
            RuntimeError("Error when executing query: disk I/O error query: INSERT"),
            ("metadata store cannot be written",),
        ),
        (
            RuntimeError("Error when executing query: database is locked query: INSERT"),
            ("has locked the metadata store",),
        ),
    ],
)
def test_one_line_with_the_cure(error: Exception, words: tuple[str, ...]) -> None:
    for raised in (error, caused_by(error)):
        with pytest.raises(InputError) as told, machine_faults_told():
            raise raised
        message = str(told.value)
        assert (
            all(word.replace("\\", "") in message for word in words)
            and "\n" not in message
            and "while running" not in message
        )


def caused_by(error: Exception) -> Exception:
    outer = ValueError("an engine's own words")
    outer.__cause__ = error
    return outer


@pytest.mark.parametrize(
    "error", [KeyError("a"), FileNotFoundError(2, "No such file or directory", "a"), PermissionError()]
)
def test_a_defect_stays_one(error: Exception) -> None:
    assert machine_fault(error) is None
    with pytest.raises(type(error)), machine_faults_told():
        raise error


@pytest.mark.parametrize(("limit", "words"), [("-f 100", "Raise `ulimit -f`"), ("-n 5", "Raise `ulimit -n`")])
def test_a_limit_of_the_process(tmp_path: Path, limit: str, words: str) -> None:
    root = Path(cli.__file__).resolve().parents[1]
    program = (
        "from pipeline import cli\nimport pipeline.cli as c\n"
        "def write(*_, **__):\n"
        f"    held = [open('/dev/null') for _ in range(3)] and open({str(tmp_path / 'a')!r}, 'wb')\n"
        "    held.write(b'0' * 10_000_000); held.flush()\n"
        "c.load_on_day = write\n"
        "c.main(['validate', 'recipes/shop.yaml'])\n"
    )
    if limit.startswith("-n"):
        program = program.replace(
            "def write(*_, **__):\n",
            "def write(*_, **__):\n    import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))\n",
        )
        limit = "-n 1024"
    command = f'ulimit {limit}; exec {sys.executable} -c "$PROGRAM"'
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, cwd=root, env={**os.environ, "PROGRAM": program}
    )
    assert done.returncode == 1 and words in done.stderr and "Traceback" not in done.stderr, done.stderr
    assert done.stderr.startswith("gatewise: ") and done.stderr.count("\n") == 1


def test_the_folder_of_temporary_files_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which disk is full the system does not say, and a run's temporary files may lie on another than its root."""
    monkeypatch.setattr("tempfile.tempdir", "/elsewhere")
    assert "(now /elsewhere)" in str(machine_fault(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setenv("TMPDIR", "/nowhere")
    assert "(now /nowhere)" in str(machine_fault(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))))
