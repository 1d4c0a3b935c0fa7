"""What is read at a URL is what lies there; what a store refuses is said in words."""

from __future__ import annotations

import gzip
import lzma
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import s3_server

from components.storage import stores
from components.storage.reading import LocalCopy, of_each, open_file, open_parquet, open_stream, read_text
from models.recipe.errors import InputError


def test_ranges_streams_and_packed_files(store: Any) -> None:
    text = b"line\n" * 100_000
    store.put_object(Bucket="logs", Key="reading/a.csv", Body=text)
    store.put_object(Bucket="logs", Key="reading/a.csv.gz", Body=gzip.compress(text))
    with open_file("s3://logs/reading/a.csv") as file:
        assert file.read_at(7, 499_990) == text[499_990:][:7]
    for name in ("a.csv", "a.csv.gz"):
        with open_stream(f"s3://logs/reading/{name}") as stream:
            assert stream.read() == text


def test_all_members_of_an_xz_file_are_read_and_a_damaged_one_is_refused(tmp_path: Path) -> None:
    text = "".join(f"line {n}\n" for n in range(100_000)).encode()
    first, second = lzma.compress(text[:500_000]), lzma.compress(text[500_000:])
    path = tmp_path / "a.csv.xz"
    for whole in (first + second, first + bytes(8) + second + bytes(4), lzma.compress(b"") + first + second):
        path.write_bytes(whole)
        assert b"".join(_pieces(path)) == text
    for cut in (first + second[:-1], first + second[:5], first[:100]):
        path.write_bytes(cut)
        with pytest.raises(OSError, match="Truncated"):
            list(_pieces(path))
    for damaged in (first + b"x" + second[1:], first + second[:200] + b"damaged" + second[207:]):
        path.write_bytes(damaged)
        with pytest.raises(OSError, match="xz decompress failed"):
            list(_pieces(path))


def _pieces(path: Path) -> Iterator[bytes]:
    with open_stream(str(path)) as stream:
        while piece := stream.read(1 << 16):
            yield piece


def test_parquet(store: Any, tmp_path: Path) -> None:
    table = pa.table({"a": range(1000), "b": [str(number) for number in range(1000)]})
    pq.write_table(table, tmp_path / "t.parquet", row_group_size=300)
    store.upload_file(str(tmp_path / "t.parquet"), "logs", "reading/t.parquet")
    with open_parquet("s3://logs/reading/t.parquet") as parquet:
        assert parquet.metadata.num_row_groups == 4
        [batch] = parquet.iter_batches(row_groups=[3], columns=["b"])
    assert batch.column(0).to_pylist() == [str(number) for number in range(900, 1000)]


def test_a_local_copy_is_gone_at_the_end(store: Any, tmp_path: Path) -> None:
    for name in ("x.txt", "b/y.txt"):
        store.put_object(Bucket="logs", Key=f"reading/folder/{name}", Body=name.encode())
    with LocalCopy("s3://logs/reading/folder") as folder:
        assert {path.relative_to(folder).as_posix() for path in Path(folder).rglob("*.txt")} == {"x.txt", "b/y.txt"}
        assert Path(folder, "b/y.txt").read_text() == "b/y.txt"
    assert not Path(folder).exists()
    with LocalCopy("s3://logs/reading/folder/b") as folder:
        assert [path.name for path in Path(folder).iterdir()] == ["y.txt"]
    with LocalCopy("s3://logs/reading/folder/x.txt") as file:
        assert Path(file).name == "x.txt" and Path(file).read_text() == "x.txt"
    copy = LocalCopy("s3://logs/reading/folder")
    folder = copy.path
    del copy
    assert not Path(folder).exists()
    with LocalCopy(str(tmp_path)) as folder:
        assert folder == str(tmp_path)
    assert tmp_path.exists()


def test_what_is_not_there(store: Any) -> None:
    with pytest.raises(InputError, match=r"s3://logs/reading/none\.txt: the file does not exist"):
        read_text("s3://logs/reading/none.txt")


def test_a_store_that_refuses_says_which_credentials_it_wants(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with s3_server.running("logs", checks_keys=True):
        stores._file_system.cache_clear()
        with pytest.raises(
            InputError,
            match=r"(?s)s3://logs/a\.txt: the store refuses access .*credentials to list.*AWS_ACCESS_KEY_ID",
        ):
            read_text("s3://logs/a.txt")
    stores._file_system.cache_clear()


def test_a_store_that_is_not_there(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{s3_server.free_port()}")
    stores._file_system.cache_clear()
    with pytest.raises(InputError, match=r"(?s)s3://logs/a\.txt: the store cannot be reached .*Check AWS_ENDPOINT_URL"):
        read_text("s3://logs/a.txt")
    stores._file_system.cache_clear()


def test_of_each_file_in_their_order(store: Any, tmp_path: Path) -> None:
    names = [f"{number}.txt" for number in range(20)]
    for name in names:
        (tmp_path / name).write_text(name)
        store.put_object(Bucket="logs", Key=f"reading/each/{name}", Body=name.encode())
    for folder in (str(tmp_path), "s3://logs/reading/each"):
        assert list(of_each(read_text, [f"{folder}/{name}" for name in names])) == names
    with pytest.raises(InputError, match=r"each/none\.txt: the file does not exist"):
        list(of_each(read_text, ["s3://logs/reading/each/1.txt", "s3://logs/reading/each/none.txt"]))
