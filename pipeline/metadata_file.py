"""Checks the file of the metadata store before a run opens it."""

from __future__ import annotations

import os
import re
import sqlite3
from pathlib import Path

from models.recipe.errors import InputError

_AWAY = (
    "Move it away (mv {file} {file}.old) and run again. The new store has no cache and no earlier runs to compare with; "
    "artifacts and pushed versions stay."
)
_ELSEWHERE = "Use the environment that wrote it, or choose another --root."
_WRONG = (
    (r"is not a database", "is not an SQLite file, so not a metadata store. " + _AWAY),
    (
        r"malformed|subset of tables|corrupt|can't decode|no schema_version",
        "is a damaged metadata store ({said}). " + _AWAY,
    ),
    (r"is greater than library version", "was written by a newer ML Metadata ({said}). " + _ELSEWHERE),
    (r"is older than library version", "was written by an older ML Metadata ({said}). " + _ELSEWHERE),
    (r"is locked", "is locked by another process. Wait until it ends, or choose another --root."),
    (
        r"readonly|read-only|unable to open|disk I/O|permission",
        "cannot be opened for writing ({said}). Check that you own the file, and that the file system is writable and not full, "
        "or choose another --root.",
    ),
)


def check_metadata(file: Path, write: bool = True) -> None:
    """Checks that the metadata store can be used. A missing or empty file is valid.

    Args:
        file: the SQLite file.
        write: whether it must be writable now.

    Raises:
        InputError: the file is not a metadata store, is damaged, is from another version of ML Metadata, is locked, or is not
            writable.
    """
    if not os.path.lexists(file) or (file.is_file() and not file.stat().st_size):
        return
    try:
        if file.exists():  # SQLite itself follows or refuses a link to a missing file
            _look(file, write)
        _open(file)
    except (sqlite3.Error, RuntimeError, OSError, UnicodeError) as error:
        message = wrong_with(file, str(error))
        if message is None:
            raise
        raise InputError(message) from None


def wrong_with(file: Path, said: str) -> str | None:
    """The user's message for an error of SQLite or ML Metadata; None if the error is not about the file."""
    said = said.splitlines()[0].removeprefix("Error when executing query: ").partition(" query: ")[0].partition(". ")[0]
    for pattern, message in _WRONG:
        if re.search(pattern, said, re.IGNORECASE):
            return f"{file} {message.format(file=file, said=said)}"
    return None


def _look(file: Path, write: bool) -> None:
    if not file.is_file():
        raise InputError(f"{file} is not a file. " + _AWAY.format(file=file))
    with file.open("rb"):
        pass
    store = sqlite3.connect(f"{file.resolve().as_uri()}?mode={'rw' if write else 'ro'}", uri=True, timeout=5)
    try:
        found = store.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise sqlite3.DatabaseError(f"malformed: {found}")
        tables = {name for (name,) in store.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if tables and "MLMDEnv" not in tables:
            there = ", ".join(sorted(tables)[:3])
            raise InputError(
                f"{file} is the database of another program (tables {there}), expected ML Metadata's. "
                "Choose another --root, or move it away."
            )
        if write:
            store.execute("BEGIN IMMEDIATE")
            store.execute("ROLLBACK")
    finally:
        store.close()


def _open(file: Path) -> None:
    import ml_metadata
    from ml_metadata.proto import metadata_store_pb2

    config = metadata_store_pb2.ConnectionConfig()
    config.sqlite.filename_uri = str(file)
    modes = metadata_store_pb2.SqliteMetadataSourceConfig
    config.sqlite.connection_mode = modes.READWRITE if file.exists() else modes.READWRITE_OPENCREATE
    ml_metadata.MetadataStore(config)
