"""Environment of a figure: the machine, package versions and the commit. Imports none of the packages."""

from __future__ import annotations

import datetime
import functools
import importlib.metadata
import os
import platform
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = (
    *("tensorflow", "keras", "tfx", "apache-beam", "pyarrow", "polars", "numpy", "scikit-learn"),
    *("tensorflow-recommenders", "tf-keras", "faiss-cpu"),
    *("tensorflow-data-validation", "tensorflow-transform", "tensorflow-model-analysis", "tfx-bsl"),
)


@functools.cache
def machine() -> dict[str, Any]:
    """CPU, cores that this process may use, memory, kernel, Python and the versions of the packages."""
    return {
        "cpu": _field("/proc/cpuinfo", "model name") or platform.processor() or "unknown",
        "cores": len(os.sched_getaffinity(0)),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "kernel": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "packages": versions(PACKAGES),
    }


def multiplies_bfloat16() -> bool:
    """Whether the CPU has instructions for products of bfloat16 numbers."""
    flags = (_field("/proc/cpuinfo", "flags") or "").split()
    return "avx512_bf16" in flags or "amx_bf16" in flags


def free_bytes() -> int:
    """Memory available without swapping."""
    found = _field("/proc/meminfo", "MemAvailable")
    return int(found.split()[0]) * 1024 if found else os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_AVPHYS_PAGES")


def has_gpu() -> bool:
    """Whether there is an NVIDIA GPU with a driver, as in the Makefile."""
    return any(Path("/dev").glob("nvidia[0-9]*"))


def versions(packages: Iterable[str]) -> dict[str, str]:
    """Versions of the installed packages."""
    found = {}
    for package in packages:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def commit() -> str | None:
    """The commit of the sources, with "+changes" where they differ from it; None outside of a git checkout."""
    try:
        head = _git("rev-parse", "HEAD")
        return head + ("+changes" if _git("status", "--porcelain") else "")
    except (OSError, subprocess.CalledProcessError):
        return None


def stamp() -> dict[str, Any]:
    """The keys `machine`, `commit` and `date` of a line of the history: where and when its numbers were measured."""
    date = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    return {"machine": machine(), "commit": commit(), "date": date}


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def _field(path: str, name: str) -> str | None:
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), None)
