"""The folder of a split is no glob, whatever it is called."""

from __future__ import annotations

from pathlib import Path

from models.files.split_files import files_of


def test_only_the_last_name_is_a_glob(tmp_path: Path) -> None:
    folder = tmp_path / "runs [2026] *?"
    folder.mkdir()
    for name in ("b.arrow", "a.arrow", "c.txt"):
        (folder / name).touch()
    assert files_of(str(folder / "*")) == [str(folder / name) for name in ("a.arrow", "b.arrow", "c.txt")]
    assert files_of(str(folder / "*.arrow")) == [str(folder / name) for name in ("a.arrow", "b.arrow")]
    assert files_of(str(tmp_path / "none" / "*")) == []
