"""Globs and formats."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.event_logs.files import format_of, matched_files
from components.storage.finding import relative
from models.recipe.errors import InputError


def test_files_are_sorted_and_globs_cross_folders(tmp_path: Path) -> None:
    for name in ("b/2.csv", "a/1.csv", "a/1.parquet", ".hidden.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = matched_files(str(tmp_path), "**/*.csv", "stream 'click'")
    assert [relative(str(tmp_path), file) for file in found] == ["a/1.csv", "b/2.csv"]


def test_no_file_says_the_pattern_and_what_lies_nearby(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "clicks.parquet").touch()
    with pytest.raises(InputError) as error:
        matched_files(str(tmp_path), "logs/click.parquet", "stream 'click'")
    assert str(error.value) == (
        f"stream 'click': no file matches {tmp_path}/logs/click.parquet. The nearest existing folder is "
        f"{tmp_path}/logs; it contains clicks.parquet. Did you mean clicks.parquet?"
    )
    with pytest.raises(
        InputError, match=rf"nearest existing folder is {tmp_path}; it contains logs/\. Did you mean logs/\?"
    ):
        matched_files(str(tmp_path), "log/**/*.parquet", "stream 'click'")


def test_the_folder_of_the_data_is_no_glob(tmp_path: Path) -> None:
    folder = tmp_path / "logs [old]"
    folder.mkdir()
    (folder / "clicks.csv").touch()
    assert matched_files(str(folder), "*.csv", "s") == [str(folder / "clicks.csv")]
    with pytest.raises(InputError) as error:
        matched_files(str(folder), "click.csv", "s")
    assert str(error.value) == (
        f"s: no file matches {folder}/click.csv. The nearest existing folder is {folder}; it contains clicks.csv. "
        "Did you mean clicks.csv?"
    )


def test_formats() -> None:
    assert format_of("a.PARQUET", None, "s") == "parquet"
    assert format_of("a.csv.gz", None, "s") == "csv"
    assert format_of("a.json", None, "s") == "jsonl"
    assert format_of("a.log", "jsonl", "s") == "jsonl"
    with pytest.raises(
        InputError, match=r"s: the ending of a\.log does not tell its format\. Known endings: \.parquet.*`format:`"
    ):
        format_of("a.log", None, "s")
