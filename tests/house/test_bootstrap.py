"""What set-up says where it cannot go on. It runs in a copy of the files that it reads, with stand-ins on PATH."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for name in ("scripts", "requirements"):
        shutil.copytree(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / "setup.py", tmp_path)
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "kept").touch()
    (tmp_path / "bin").mkdir()
    return tmp_path


def refused(checkout: Path, programs: dict[str, str], *arguments: str) -> str:
    """The message of a set-up that fails and leaves an environment that was there alone."""
    for name, script in programs.items():
        (checkout / "bin" / name).write_text(f"#!/bin/sh\n{script}\n")
        (checkout / "bin" / name).chmod(0o755)
    environment = {**os.environ, "PATH": f"{checkout / 'bin'}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", checkout / "scripts" / "bootstrap", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert (checkout / ".venv" / "kept").exists()
    return done.stderr


def test_another_system(checkout: Path) -> None:
    message = refused(checkout, {"uname": "[ $1 = -s ] && echo Darwin || echo arm64"})
    assert "gatewise runs on x86-64 Linux; this is Darwin arm64" in message and "container image python:" in message


def test_no_python(checkout: Path) -> None:
    names = ("python", "python3", "python3.11", "python3.12", "python3.13")
    message = refused(checkout, dict.fromkeys(names, "exit 1"))
    assert "no Python 3.11, 3.12 or 3.13" in message and "PYTHON=/path/to/python3.12 make setup" in message


def test_an_old_glibc_without_a_newer_one_to_be_had(checkout: Path) -> None:
    message = refused(checkout, {"getconf": "echo glibc 2.31", "apt-get": "exit 100"})
    assert "this host has glibc 2.31, TFX's libraries need 2.39" in message
    assert "Use the container image python:3.12-slim-trixie" in message


def test_another_c_library(checkout: Path) -> None:
    assert "not glibc. Use the container image" in refused(checkout, {"getconf": "exit 1"})


def test_an_unknown_lock(checkout: Path) -> None:
    assert "no lock requirements/prod.lock; expected 'runtime' or 'dev'" in refused(checkout, {}, "prod")
