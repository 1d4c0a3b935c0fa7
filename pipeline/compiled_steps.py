"""The steps that XLA has compiled for one run, kept for the next: compiling takes a third of a small training.

TensorFlow looks for a compiled step under the name of its graph, and writes what it does not find. It trains on nothing
where a file is damaged, and asks no processor whether it knows the instructions. So it gets a folder of its own for each
process, with whole files only, of this processor and this version; what is new there is kept when the run has ended well.
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
# On a GPU it has not been tried.
_DEVICES = "--tf_xla_persistent_cache_device_types=CPU"
_MOST = 256 * 2**20
"""Bytes that are kept; beyond, the oldest files go."""


@contextlib.contextmanager
def compiled_steps_kept(folder: Path) -> Iterator[None]:
    """TensorFlow finds in this block what it has compiled in earlier ones. For a process that ends with the block, and has
    compiled nothing before: TensorFlow reads its flags once.

    Does nothing where the flags name a folder already, where the system does not say which processor this is, and where the
    place for temporary files is nearly full.

    Args:
        folder: is made; gets a folder for each processor, version of TensorFlow and set of flags.
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
    """Copies the files that are whole, and removes the others; returns the names of the copies.

    Args:
        kept: folder of files `<digest>-<name>`, or nothing.
        work: gets them as `<name>`.
    """
    given = set()
    for path in kept.glob("*"):
        digest, _, name = path.name.partition("-")
        # A file that cannot be read is compiled anew.
        with contextlib.suppress(OSError):
            content = path.read_bytes()
            if name and _digest(content) == digest:
                (work / name).write_bytes(content)
                given.add(name)
            else:
                path.unlink()
    return given


def keep(work: Path, kept: Path, given: set[str], most: int = _MOST) -> None:
    """Keeps the files that are not among the given ones; then the oldest go, until the rest has no more than `most` bytes.

    What cannot be written is not kept: no run fails by it.
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
    """What a compiled step depends on besides its graph."""
    about = (
        importlib.metadata.version("tensorflow"),
        processor,
        len(os.sched_getaffinity(0)),
        flags,
        os.environ.get("XLA_FLAGS", ""),
    )
    return _digest(json.dumps(about).encode())


def _processor() -> list[str]:
    """Name and abilities of the processor; empty where the system does not say."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").partition("\n\n")[0].splitlines()
    except OSError:
        return []
    return [line for line in lines if line.split("\t")[0] in ("vendor_id", "model name", "flags")]
