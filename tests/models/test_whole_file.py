from __future__ import annotations

import os
from pathlib import Path

import pytest

from models.whole_file import write_whole


def test_the_file_is_replaced_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.json"
    write_whole(path, "old")
    write_whole(str(path), "größer")
    assert path.read_text("utf-8") == "größer"
    assert [found.name for found in path.parent.iterdir()] == ["a.json"]


def test_what_was_there_stays_when_the_writing_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.json"
    write_whole(path, "old")

    def full(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="no space"):
        write_whole(path, "new")
    assert path.read_text() == "old"
