"""Metadata stores made by hand, each wrong in another way: one line that names the file and the cure."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path

import ml_metadata
import pytest
from ml_metadata.proto import metadata_store_pb2

from models.recipe.errors import InputError
from pipeline.lineage import last_run
from pipeline.metadata_file import check_metadata
from pipeline.run_paths import run_paths_in


@pytest.fixture
def store(tmp_path: Path) -> Path:
    config = metadata_store_pb2.ConnectionConfig()
    config.sqlite.filename_uri = str(tmp_path / "metadata.sqlite")
    ml_metadata.MetadataStore(config)
    return tmp_path / "metadata.sqlite"


def text(file: Path) -> None:
    file.write_text("no database\n" * 1000)


def short_text(file: Path) -> None:
    file.write_text("no database")


def truncated(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2)


def zeros(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[8192:-4096] = bytes(len(content) - 8192 - 4096)
    file.write_bytes(content)


def few_zeros(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[4096:12288] = bytes(8192)
    file.write_bytes(content)


def version(number: int) -> Callable[[Path], None]:
    def change(file: Path) -> None:
        with sqlite3.connect(file) as opened:
            opened.execute("UPDATE MLMDEnv SET schema_version = ?", (number,))

    return change


def foreign(file: Path) -> None:
    file.unlink()
    with sqlite3.connect(file) as opened:
        opened.execute("CREATE TABLE notes (text)")


def folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def bytes_flipped(file: Path) -> None:
    """Where SQLite finds nothing wrong with the pages that it looks at first, but no text in them either."""
    content = bytearray(file.read_bytes())
    for place in range(5000, len(content), 977):
        content[place] ^= 0xFF
    file.write_bytes(content)


def without_its_version(file: Path) -> None:
    with sqlite3.connect(file) as opened:
        opened.execute("DELETE FROM MLMDEnv")


def link_to_itself(file: Path) -> None:
    file.unlink()
    file.symlink_to(file)


def link_to_no_folder(file: Path) -> None:
    file.unlink()
    file.symlink_to(file.parent / "none" / "metadata.sqlite")


AWAY = "Move it away"


@pytest.mark.parametrize(
    ("change", "words", "cure"),
    [
        (text, "is not an SQLite file", AWAY),
        (short_text, "is not an SQLite file", AWAY),
        (truncated, "is a damaged metadata store", AWAY),
        (zeros, "is a damaged metadata store", AWAY),
        (few_zeros, "is a damaged metadata store", AWAY),
        (
            version(99),
            "was written by a newer ML Metadata (MLMD database version 99 is greater than library version",
            "another --root",
        ),
        (
            version(3),
            "was written by an older ML Metadata (MLMD database version 3 is older than library version",
            "another --root",
        ),
        (foreign, "is the database of another program (tables notes)", "another --root"),
        (folder, "is not a file", AWAY),
        (bytes_flipped, "is a damaged metadata store", AWAY),
        (without_its_version, "is a damaged metadata store", AWAY),
        (link_to_itself, "cannot be opened for writing", "another --root"),
        (link_to_no_folder, "cannot be opened for writing", "another --root"),
    ],
)
def test_a_store_that_cannot_be_used(store: Path, change: Callable[[Path], None], words: str, cure: str) -> None:
    change(store)
    with pytest.raises(InputError, match=re.escape(f"{store} {words}")) as error:
        check_metadata(store)
    assert cure in str(error.value) and "\n" not in str(error.value)
    if store.is_file():
        with pytest.raises(InputError, match=re.escape(words)):
            last_run(run_paths_in(store.parent))


def test_a_locked_store(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *given, **more: connect(*given, **{**more, "timeout": 0.1}))
    holder = connect(store)
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(InputError, match="is locked by another process. Wait"):
        check_metadata(store)
    holder.close()


def test_no_store_an_empty_file_and_a_good_one(store: Path, tmp_path: Path) -> None:
    check_metadata(store)
    check_metadata(store, write=False)
    check_metadata(tmp_path / "none.sqlite")
    (tmp_path / "empty.sqlite").touch()
    check_metadata(tmp_path / "empty.sqlite")
    (tmp_path / "elsewhere.sqlite").symlink_to(tmp_path / "not_yet.sqlite")
    check_metadata(tmp_path / "elsewhere.sqlite")
