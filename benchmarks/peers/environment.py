"""The peers' own environment, made on first use: nothing of it goes into the project's."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
FOLDER = ROOT / ".runtime" / "peers"


class NoEnvironment(Exception):
    """The peers' packages could not be installed: the message says why."""


def stamp(requirements: Path = REQUIREMENTS) -> str:
    """What an environment was made from: the requirements and the Python."""
    return hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()


def is_ready(folder: Path = FOLDER, requirements: Path = REQUIREMENTS) -> bool:
    """Whether the environment is there, whole, and made from these requirements."""
    marker = folder / "stamp"
    return marker.is_file() and marker.read_text(encoding="utf-8") == stamp(requirements)


def peer_python(folder: Path = FOLDER, requirements: Path = REQUIREMENTS) -> Path:
    """The Python of the peers' environment, which is made if it is not there (about 40 s and 1.6 GB).

    With pip, because pip reads the machine's own settings, which may name a CPU build of PyTorch. The stamp is written
    last: an installation that was killed on the way is made again.

    Raises:
        NoEnvironment: pip could not install it.
    """
    python = folder / "bin" / "python"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(folder.parent / f"{folder.name}.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if is_ready(folder, requirements):
            return python
        shutil.rmtree(folder, ignore_errors=True)
        # Not the project's own Python: its environment may run on a private C library.
        base = getattr(sys, "_base_executable", sys.executable)
        _call([base, "-m", "venv", str(folder)], "python -m venv")
        _call([str(python), "-m", "pip", "install", "--quiet", "-r", str(requirements)], "pip install")
        partial = folder / "stamp.partial"
        partial.write_text(stamp(requirements), encoding="utf-8")
        partial.replace(folder / "stamp")
    return python


def ask(python: Path | str, module: str, question: Mapping[str, Any], **environment: str) -> dict[str, Any]:
    """Runs `python -m module` in a fresh process: a question as JSON in, an answer as JSON out.

    Args:
        python: of the environment to run in.
        module: such as `benchmarks.peers.rechub_step`; prints its answer as the last line.
        question: its only argument.
        environment: variables to set, such as KERAS_BACKEND.

    Raises:
        RuntimeError: it failed; with what it said at the end.
    """
    done = subprocess.run(
        [str(python), "-m", module, json.dumps(dict(question))],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3", **environment},
        capture_output=True,
        text=True,
    )
    lines = done.stdout.strip().splitlines()
    if done.returncode != 0 or not lines:
        raise RuntimeError(f"{module} ended with {done.returncode}:\n{done.stderr[-3000:]}")
    answer: dict[str, Any] = json.loads(lines[-1])
    return answer


def _call(command: list[str], what: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except OSError as error:
        raise NoEnvironment(f"{what}: {error}") from None
    if done.returncode != 0:
        raise NoEnvironment(
            f"{what} could not make the peers' environment from {REQUIREMENTS.name}; it said:\n{done.stderr[-2000:]}"
        )
