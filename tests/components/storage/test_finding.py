"""Globs at a URL mean what they mean in a folder."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from components.event_logs.files import matched_files
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
from models.errors import InputError

FOLDERS = ["a", "b", "a1", "[a]", ".h", "a b", "ä"]
FILES = ["x.csv", "y.csv", "x%20.csv", ".h.csv", "f", "[f]"]
PATTERNS = [
    "*", "*/*", "**", "**/*", "**/*.csv", "a/**/*.csv", "a*/x.csv", "[ab]/*", "[!a]*/*", "?", "**/a/*", "a/b/x.csv",
    ".h/*", "**/.h.csv", "**/[[]f]", "[[]a]/*", "*/**/y.csv", "a b/*.csv", "a/**", "**/a*/**/*.csv", "none/*",
]  # fmt: skip


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
        assert there == here, pattern
        found += bool(here)
    assert found > 15


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
        "stream 'click': no file matches s3://logs/nearby/logs/click.csv. The nearest folder that exists is "
        "s3://logs/nearby/logs; in it: clicks.csv. Did you mean clicks.csv?"
    )
    with pytest.raises(
        InputError, match=r"nearest folder that exists is s3://logs/nearby; in it: logs/\. Did you mean logs/\?"
    ):
        matched_files("s3://logs/nearby/", "log/**/*.csv", "s")
    with pytest.raises(InputError, match=r"The nearest folder that exists is s3://logs; in it: "):
        matched_files("s3://logs/none/at/all", "*.csv", "s")


def test_a_bucket_that_is_not_there(store: Any) -> None:
    with pytest.raises(InputError, match=r"s3://lost/day: there is no bucket 'lost'\. Make it, or correct the URL"):
        matched_files("s3://lost/day", "*.csv", "s")
    with pytest.raises(
        InputError, match=r"hdfs://a/b: expected a path or a URL of an object store: s3://BUCKET/\.\.\., "
    ):
        matched_files("hdfs://a/b", "*.csv", "s")
