"""Separate environments of the peers, created on first use.

An environment is a file of requirements in this folder, and a folder under `.runtime/` of the same name.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".runtime"

PEERS = Path(__file__).with_name("peers.txt")
"""PyTorch, torch-rechub, LightGBM and Polars: about a minute and 1.6 GB."""
JAX = Path(__file__).with_name("jax.txt")
"""Keras and JAX without TensorFlow: 0.7 GB."""
JAX_GPU = Path(__file__).with_name("jax_gpu.txt")


class NoEnvironment(Exception):
    """The packages could not be installed. The message has the reason."""


def python_of(requirements: Path, folder: Path = FOLDER) -> Path:
    """The Python of an environment with these requirements, which is made if it is not there.

    With pip, because pip reads the machine's own settings, which may name a CPU build of PyTorch. The stamp is written
    last: an installation that was killed on the way is made again.

    Args:
        requirements: a file for pip; its stem is the environment's name.
        folder: of all environments.

    Raises:
        NoEnvironment: pip could not install it.
    """
    environment = folder / requirements.stem
    python = environment / "bin" / "python"
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / f"{requirements.stem}.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if is_ready(environment, requirements):
            return python
        shutil.rmtree(environment, ignore_errors=True)
        # Not the project's own Python: its environment may run on a private C library.
        base = getattr(sys, "_base_executable", sys.executable)
        _call([base, "-m", "venv", str(environment)], "python -m venv", requirements)
        # Python compiles the modules that are used at their first import. They are a small part of PyTorch's and JAX's.
        install = [str(python), "-m", "pip", "install", "--quiet", "--no-compile", "-r", str(requirements)]
        _call(install, "pip install", requirements)
        partial = environment / "stamp.partial"
        partial.write_text(_stamp(requirements), encoding="utf-8")
        partial.replace(environment / "stamp")
    return python


def is_ready(environment: Path, requirements: Path) -> bool:
    """Whether the environment is there, whole, and made from these requirements."""
    marker = environment / "stamp"
    return marker.is_file() and marker.read_text(encoding="utf-8") == _stamp(requirements)


def _stamp(requirements: Path) -> str:
    return hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()


def _call(command: list[str], what: str, requirements: Path) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except OSError as error:
        raise NoEnvironment(f"{what}: {error}") from None
    if done.returncode != 0:
        raise NoEnvironment(f"{what} could not create the environment of {requirements.name}:\n{done.stderr[-2000:]}")
