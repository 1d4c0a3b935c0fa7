"""A file is there whole or not at all."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from components.storage.reading import read_bytes, read_text
from components.storage.writing import (
    remove_folder,
    whole_file,
    write_bytes,
    write_text,
    written_folder,
)
from models.recipe.errors import InputError

Keys = Callable[[str], list[str]]


@pytest.fixture(params=["local", "url"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, Any]:
    """A folder, and a function that lists the files in it; temporary ones lie in `tmp_path / "temporary"`."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    if request.param == "local":
        folder = tmp_path / "out"
        return str(folder), lambda: sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())
    prefix = f"writing/{request.node.name}/"
    keys = request.getfixturevalue("keys")
    return f"s3://logs/{prefix}".rstrip("/"), lambda: [
        key.removeprefix(prefix) for key in keys(prefix) if key != prefix
    ]


def test_what_is_written_replaces_what_was_there(place: tuple[str, Any], tmp_path: Path) -> None:
    folder, files = place
    write_text(f"{folder}/a/b.txt", "one")
    write_text(f"{folder}/a/b.txt", "zwei ü")
    assert read_text(f"{folder}/a/b.txt") == "zwei ü" and files() == ["a/b.txt"]
    assert list((tmp_path / "temporary").iterdir()) == []


def test_a_failure_in_the_middle_leaves_what_was_there(place: tuple[str, Any], tmp_path: Path) -> None:
    folder, files = place
    write_text(f"{folder}/a.txt", "before")
    with pytest.raises(KeyError), whole_file(f"{folder}/a.txt") as temporary:
        Path(temporary).write_bytes(b"half" * 3_000_000)
        assert read_text(f"{folder}/a.txt") == "before"
        raise KeyError
    with pytest.raises(KeyError), whole_file(f"{folder}/new.txt"):
        raise KeyError
    assert read_text(f"{folder}/a.txt") == "before" and files() == ["a.txt"]
    assert list((tmp_path / "temporary").iterdir()) == []


def test_large_files_go_in_parts(place: tuple[str, Any]) -> None:
    folder, files = place
    content = bytes(range(256)) * 80_000
    write_bytes(f"{folder}/large", content)
    assert read_bytes(f"{folder}/large") == content and files() == ["large"]


def test_removing(place: tuple[str, Any]) -> None:
    folder, files = place
    for name in ("keep.txt", "a/x.txt", "a/b/y.txt", "ab.txt"):
        write_text(f"{folder}/{name}", name)
    remove_folder(f"{folder}/a")
    remove_folder(f"{folder}/none")
    assert files() == ["ab.txt", "keep.txt"]


def test_a_folder_for_those_who_write_to_paths(place: tuple[str, Any], tmp_path: Path) -> None:
    folder, files = place
    with written_folder(folder) as local:
        Path(local, "a").mkdir()
        Path(local, "a", "x.txt").write_text("x")
        Path(local, "y.txt").write_text("y")
    assert files() == ["a/x.txt", "y.txt"]
    assert list((tmp_path / "temporary").iterdir()) == []


def test_a_failure_uploads_nothing_of_a_folder(store: Any, keys: Keys) -> None:
    with pytest.raises(KeyError), written_folder("s3://logs/writing/failed") as local:
        Path(local, "x.txt").write_text("x")
        raise KeyError
    assert keys("writing/failed") == []


def test_a_bucket_that_is_not_there(store: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(InputError, match=r"s3://lost/a\.txt: there is no bucket 'lost'"):
        write_text("s3://lost/a.txt", "a")
    assert list(tmp_path.iterdir()) == []
