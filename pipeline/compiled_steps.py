"""Keeps the training steps that XLA compiled in one run for the next run. Compilation is a third of a small training.

TensorFlow's persistent cache names a compiled step after its graph. It does not detect a damaged file, and does not check that
the processor supports the instructions. Each process therefore gets its own folder with complete files for this processor and
TensorFlow version. New files are kept if the run succeeds.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

FLAGS = "TF_XLA_FLAGS"
_FOLDER = "--tf_xla_persistent_cache_directory"
# Not tested on a GPU.
_DEVICES = "--tf_xla_persistent_cache_device_types=CPU"
_MOST = 256 * 2**20
"""Maximum size in bytes; the oldest files are removed first."""


@contextlib.contextmanager
def compiled_steps_kept(folder: Path) -> Iterator[None]:
    """In this context, TensorFlow reuses the steps that earlier runs compiled.

    TensorFlow reads its flags once, so nothing may be compiled before or after this context. Does nothing if the flags name
    a cache folder already, if the system does not report the processor, or if the disk of temporary files is nearly full.

    Args:
        folder: created if missing; has one subfolder for each processor, version of TensorFlow and set of flags.
    """
    flags, processor = os.environ.get(FLAGS, ""), _processor()
    with tempfile.TemporaryDirectory(prefix="gatewise-compiled-") as place:
        work = Path(place)
        if _FOLDER in flags or not processor or shutil.disk_usage(work).free < _MOST:
            yield
            return
        kept = folder / _machine(processor, flags)
        given = take_out(kept, work)
        os.environ[FLAGS] = f"{flags} {_FOLDER}={work} {_DEVICES}".strip()
        try:
            yield
            keep(work, kept, given)
        finally:
            os.environ[FLAGS] = flags


def take_out(kept: Path, work: Path) -> set[str]:
    """Copies the undamaged files to `work` and removes the others. Returns the names of the copies.

    Args:
        kept: folder of files `<digest>-<name>`; may be missing.
        work: receives them as `<name>`.
    """
    given = set()
    for path in kept.glob("*"):
        digest, _, name = path.name.partition("-")
        # TensorFlow compiles the step again if its file cannot be read.
        with contextlib.suppress(OSError):
            content = path.read_bytes()
            if name and _digest(content) == digest:
                (work / name).write_bytes(content)
                given.add(name)
            else:
                path.unlink()
    return given


def keep(work: Path, kept: Path, given: set[str], most: int = _MOST) -> None:
    """Keeps the files that are not in `given`, then removes the oldest until at most `most` bytes remain.

    Ignores files that cannot be written.
    """
    with contextlib.suppress(OSError):
        kept.mkdir(parents=True, exist_ok=True)
        for path in work.iterdir():
            if path.name not in given:
                content = path.read_bytes()
                unfinished = kept / f".{path.name}.{os.getpid()}"
                unfinished.write_bytes(content)
                unfinished.replace(kept / f"{_digest(content)}-{path.name}")
        total = 0
        for path in sorted(kept.glob("*"), key=lambda path: path.stat().st_mtime_ns, reverse=True):
            total += path.stat().st_size
            if total > most:
                path.unlink()


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def _machine(processor: list[str], flags: str) -> str:
    """Digest of everything except the graph that a compiled step depends on."""
    about = (
        importlib.metadata.version("tensorflow"),
        processor,
        len(os.sched_getaffinity(0)),
        flags,
        os.environ.get("XLA_FLAGS", ""),
    )
    return _digest(json.dumps(about).encode())


def _processor() -> list[str]:
    """Name and instruction sets of the processor; empty if the system does not report them."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").partition("\n\n")[0].splitlines()
    except OSError:
        return []
    return [line for line in lines if line.split("\t")[0] in ("vendor_id", "model name", "flags")]
