"""Globs at a URL mean what they mean in a folder."""

from __future__ import annotations

import glob
import os
import random
from pathlib import Path
from typing import Any

import pytest

from components.event_logs.files import matched_files
from components.event_logs.spans import check_spans
from components.storage.finding import (
    absolute,
    exists,
    is_folder,
    joined,
    matching,
    names_in,
    relative,
    size_of,
)
from components.storage.listing import version_of
from models.recipe.errors import InputError
from models.recipe.spans import Spans, of_any_span, paths_of, span_in

FOLDERS = ["a", "b", "a1", "[a]", ".h", "_t", "a b", "ä"]
FILES = ["x.csv", "y.csv", "x%20.csv", ".h.csv", "_SUCCESS", "f", "[f]"]
PATTERNS = [
    "*", "*/*", "**", "**/*", "**/*.csv", "a/**/*.csv", "a*/x.csv", "[ab]/*", "[!a]*/*", "?", "**/a/*", "a/b/x.csv",
    ".h/*", "**/.h.csv", "_t/*", "**/_*", "**/_t/**", "_*/**/*.csv", "**/[[]f]", "[[]a]/*", "*/**/y.csv", "a b/*.csv", "a/**", "**/a*/**/*.csv", "none/*",
]  # fmt: skip


def of_python(folder: Path, pattern: str) -> list[str]:
    """By Python's glob, without what begins with `_` or `.` where the pattern does not say it."""
    found = {
        relative(str(folder), path) for path in glob.glob(f"{folder}/{pattern}", recursive=True) if Path(path).is_file()
    }
    said = [name[0] for name in pattern.split("/") if name[0] in "_."]
    return sorted(path for path in found if sum(name[0] in "_." for name in path.split("/")) <= len(said))


def test_as_python_s_glob_in_a_folder(tmp_path: Path, store: Any) -> None:
    generator = random.Random(5)
    folders = ["/".join(generator.choices(FOLDERS, k=generator.randrange(4))) for _ in range(40)]
    for path in {f"{folder}/{file}".strip("/") for folder in folders for file in generator.sample(FILES, 3)}:
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(path)
        store.put_object(Bucket="logs", Key=f"globs [1]/{path}", Body=path.encode())
    url = "s3://logs/globs [1]"
    found = 0
    for pattern in PATTERNS:
        here = [relative(str(tmp_path), file) for file in matching(str(tmp_path), pattern)]
        there = [relative(url, file) for file in matching(url + "/", pattern)]
        assert there == here == of_python(tmp_path, pattern), pattern
        found += bool(here)
    assert found > 15


@pytest.mark.parametrize("place", ["folder", "url"])
def test_what_spark_leaves_beside_the_data_is_no_data(tmp_path: Path, store: Any, place: str) -> None:
    data = ["day=1/part-0.parquet", "day=2/part-0.parquet"]
    beside = [
        "_temporary/0/part-0.parquet", "day=1/_SUCCESS", "day=1/.part-0.parquet.crc", "_delta_log/0.parquet",
        "day=2/_temporary/0/_x/part-0.parquet", ".staging/part-0.parquet",
    ]  # fmt: skip
    folder = str(tmp_path) if place == "folder" else "s3://logs/spark"
    for path in [*data, *beside]:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
        store.put_object(Bucket="logs", Key=f"spark/{path}", Body=b"")

    def found(pattern: str) -> list[str]:
        return [relative(folder, file) for file in matching(folder, pattern)]

    assert found("**/*.parquet") == found("**") == found("*/part-*") == data
    assert found("*/*") == data and found("**/*.crc") == []
    assert found("_temporary/**/*.parquet") == ["_temporary/0/part-0.parquet"]
    assert found("day=1/_SUCCESS") == ["day=1/_SUCCESS"] and found("day=*/_*") == ["day=1/_SUCCESS"]


@pytest.mark.parametrize(
    ("link", "pattern"), [("b.csv", "*.csv"), ("b.csv", "b.csv"), ("day=2", "day=*/*.csv"), ("day=2", "**/*.csv")]
)
def test_a_link_that_leads_nowhere_is_named(tmp_path: Path, link: str, pattern: str) -> None:
    (tmp_path / "a.csv").touch()
    (tmp_path / link).symlink_to(tmp_path / "gone")
    with pytest.raises(InputError) as error:
        matching(str(tmp_path), pattern)
    assert str(error.value) == (
        f"{tmp_path}/{link}: the link points to {tmp_path}/gone, which does not exist. Restore the file, or remove the link."
    )
    assert matching(str(tmp_path), "a*") == [f"{tmp_path}/a.csv"]


def test_links_to_folders_are_followed_but_not_round_and_round(tmp_path: Path) -> None:
    (tmp_path / "data" / "a").mkdir(parents=True)
    (tmp_path / "data" / "a" / "x.csv").touch()
    (tmp_path / "data" / "a" / "up").symlink_to(tmp_path / "data")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "y.csv").touch()
    (tmp_path / "data" / "b").symlink_to(tmp_path / "other")
    found = [relative(str(tmp_path), file) for file in matching(str(tmp_path), "data/**/*.csv")]
    assert found == ["data/a/x.csv", "data/b/y.csv"]


def test_a_folder_that_may_not_be_listed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listdir = os.listdir

    def refusing(path: str) -> list[str]:
        if path.endswith("/secret"):
            raise PermissionError(13, "Permission denied")
        return listdir(path)

    for name in ("open", "secret"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.csv").touch()
    monkeypatch.setattr(os, "listdir", refusing)
    with pytest.raises(
        InputError, match=r"/secret: the folder cannot be listed \(Permission denied\), and files in it"
    ):
        matching(str(tmp_path), "**/*.csv")
    assert len(matching(str(tmp_path), "open/*.csv")) == 1


def test_what_a_url_names(store: Any) -> None:
    store.put_object(Bucket="logs", Key="named/a/x.csv", Body=b"12345")
    assert exists("s3://logs/named/a/x.csv") and exists("s3://logs/named") and not exists("s3://logs/named/b")
    assert is_folder("s3://logs/named/a") and not is_folder("s3://logs/named/a/x.csv") and is_folder("s3://logs")
    assert names_in("s3://logs/named") == ["a/"] and names_in("s3://logs/named/a") == ["x.csv"]
    assert size_of("minio://logs/named/a/x.csv") == 5
    assert absolute("s3://logs/named/") == "s3://logs/named" and joined("s3://logs/named/", "/a") == "s3://logs/named/a"
    before = version_of("s3://logs/named/a/x.csv")
    store.put_object(Bucket="logs", Key="named/a/x.csv", Body=b"123456")
    assert before[0] == 5 and version_of("s3://logs/named/a/x.csv")[0] == 6


def test_no_file_says_what_lies_nearby(store: Any) -> None:
    store.put_object(Bucket="logs", Key="nearby/logs/clicks.csv", Body=b"")
    with pytest.raises(InputError) as error:
        matched_files("s3://logs/nearby", "logs/click.csv", "stream 'click'")
    assert str(error.value) == (
        "stream 'click': no file matches s3://logs/nearby/logs/click.csv. The nearest existing folder is "
        "s3://logs/nearby/logs; it contains clicks.csv. Did you mean clicks.csv?"
    )
    with pytest.raises(
        InputError, match=r"nearest existing folder is s3://logs/nearby; it contains logs/\. Did you mean logs/\?"
    ):
        matched_files("s3://logs/nearby/", "log/**/*.csv", "s")
    with pytest.raises(InputError, match=r"The nearest existing folder is s3://logs; it contains "):
        matched_files("s3://logs/none/at/all", "*.csv", "s")


def test_a_bucket_that_is_not_there(store: Any) -> None:
    with pytest.raises(InputError, match=r"s3://lost/day: there is no bucket 'lost'\. Create it, correct the URL"):
        matched_files("s3://lost/day", "*.csv", "s")
    with pytest.raises(
        InputError, match=r"hdfs://a/b: expected a path or a URL of an object store: s3://BUCKET/\.\.\., "
    ):
        matched_files("hdfs://a/b", "*.csv", "s")


def test_days_at_a_url(store: Any) -> None:
    path, spans = (
        "clicks/dt={YYYY}-{MM}-{DD}/*.csv",
        Spans(hours=24, first="2026-02-28", day="2026-03-02", until="2026-03-02"),
    )
    for day in ("2026-02-27", "2026-02-28", "2026-03-01", "2026-03-03"):
        store.put_object(Bucket="logs", Key=f"daily/clicks/dt={day}/a.csv", Body=b"x")
    with pytest.raises(
        InputError,
        match=r"stream 'click' has no file of 2026-03-02; .* no file matches s3://logs/daily/clicks/dt=2026-03-02/\*\.csv\. "
        r"The nearest existing folder is s3://logs/daily/clicks; it contains dt=2026-02-27/",
    ):
        check_spans("s3://logs/daily", "click", path, spans)
    store.put_object(Bucket="logs", Key="daily/clicks/dt=2026-03-02/a.csv", Body=b"x")
    check_spans("s3://logs/daily", "click", path, spans)
    found = matched_files("s3://logs/daily", paths_of(path, spans), "stream 'click'")
    assert found == [f"s3://logs/daily/clicks/dt={day}/a.csv" for day in ("2026-02-28", "2026-03-01", "2026-03-02")]
    starts = [span_in(path, file, 24) for file in matching("s3://logs/daily", of_any_span(path))]
    assert [f"{start:%m-%d}" for start in starts if start] == ["02-27", "02-28", "03-01", "03-02", "03-03"]
