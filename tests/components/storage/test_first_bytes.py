"""A file is what its first bytes say, whatever its name is."""

from __future__ import annotations

import gzip
import lzma
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

from components.storage.first_bytes import packing_of
from components.storage.reading import open_stream
from models.recipe.errors import InputError

TEXT = b"user,item\n" * 1000


def packed(codec: str | None, text: bytes = TEXT) -> bytes:
    if codec is None:
        return text
    if codec == "xz":
        return lzma.compress(text)
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, codec) as stream:
        stream.write(text)
    return bytes(sink.getvalue())


@pytest.mark.parametrize("name", ["part-0", "part-0.csv", "part-0.csv.gz", "part-0.csv.zst"])
@pytest.mark.parametrize("codec", [None, "gzip", "bz2", "zstd", "lz4", "xz"])
def test_packed_or_not_under_any_name(tmp_path: Path, store: Any, codec: str | None, name: str) -> None:
    content = packed(codec)
    assert packing_of(content[:16]) == codec
    (tmp_path / name).write_bytes(content)
    store.put_object(Bucket="logs", Key=f"first/{name}", Body=content)
    for folder in (str(tmp_path), "s3://logs/first"):
        with open_stream(f"{folder}/{name}") as stream:
            parts = []
            while part := stream.read(3000):
                parts.append(part)
            assert b"".join(parts) == TEXT


@pytest.mark.parametrize(
    "content", [b"", b"a", b"\n", b"BZhuman,b\n1,2\n", b"ORCID,b\n", b"PAR1,b\n", b"a,b\n", "é,b\n".encode()]
)
def test_texts_that_begin_like_something_else(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.csv.gz").write_bytes(content)
    with open_stream(str(tmp_path / "a.csv.gz")) as stream:
        assert stream.read() == content


def parquet() -> bytes:
    sink = pa.BufferOutputStream()
    pl.DataFrame({"a": [1]}).write_parquet(sink)
    return bytes(sink.getvalue())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (parquet(), r"are those of Parquet\. Set `format: parquet`"),
        ("user,item\n".encode("utf-16"), r"b'\\xff\\xfeu.*those of UTF-16 text\. Save the file as UTF-8"),
        ("\ufeffuser,item\n".encode("utf-16-be"), "those of UTF-16 text"),
        ("user,item\n".encode("utf-16-le"), "those of UTF-16 text"),
        (b"PK\x03\x04\x14\x00\x06\x00", r"are those of a ZIP archive or a spreadsheet\. Unpack it"),
        (b"ORC\x0a\x03\x00", "those of ORC"),
        (b"Obj\x01\x04\x14", "those of Avro"),
        (b"<!DOCTYPE html>\n<html>", r"are those of HTML or XML\. Was an error page saved"),
    ],
)
@pytest.mark.parametrize("place", ["folder", "url"])
def test_what_is_no_text_is_named(tmp_path: Path, store: Any, place: str, content: bytes, said: str) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    store.put_object(Bucket="logs", Key="first/a.csv", Body=content)
    folder = str(tmp_path) if place == "folder" else "s3://logs/first"
    with pytest.raises(InputError, match=rf"{folder}/a\.csv: expected text in UTF-8 .*its first bytes, .*{said}"):
        open_stream(f"{folder}/a.csv")


def test_a_packed_file_that_ends_too_early_is_no_short_one(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(gzip.compress(bytes(range(256)) * 400)[:-20])
    with open_stream(str(tmp_path / "a.csv")) as stream, pytest.raises(OSError, match="Truncated"):
        stream.read()
