"""CSV: row numbers, broken rows, blocks."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from components.event_logs import csv_lines
from models.recipe.errors import InputError


def everything(path: Path, block_bytes: int = 1 << 20) -> tuple[list, list]:
    rows, broken = [], []
    for block in csv_lines.read(str(path), block_bytes=block_bytes):
        rows += list(zip(block.rows.tolist(), block.frame.rows(), strict=True))
        broken += [(line.row, line.reason, json.loads(line.raw)["line"]) for line in block.broken]
    return rows, broken


def test_broken_rows_keep_the_numbers_of_the_others(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('a,b\n1,2\n\n3\n4,"x\ny"\n5,6,7\n8,\n9\n')
    rows, broken = everything(path)
    assert rows == [(0, ("1", "2")), (2, ("4", "x\ny")), (4, ("8", None))]
    assert broken == [
        (1, "1 fields in a CSV line, the header has 2", "3"),
        (3, "3 fields in a CSV line, the header has 2", "5,6,7"),
        (5, "1 fields in a CSV line, the header has 2", "9"),
    ]


@pytest.mark.parametrize("block_bytes", [64, 1000, 1 << 20])
def test_blocks_change_nothing(tmp_path: Path, block_bytes: int) -> None:
    path = tmp_path / "a.csv"
    lines = [f"{n},{'z' * (n % 17)}" if n % 7 else f"{n},broken,{n}" for n in range(500)]
    path.write_text("\n".join(["\ufeffa,b", *lines]))
    rows, broken = everything(path, block_bytes)
    assert [number for number, _ in rows] == [n for n in range(500) if n % 7]
    assert all(values == (str(n), "z" * (n % 17) or None) for n, values in rows)
    assert [number for number, _, _ in broken] == list(range(0, 500, 7))


def test_only_broken_rows(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\n1\n")
    assert everything(tmp_path / "a.csv") == ([], [(0, "1 fields in a CSV line, the header has 2", "1")])


def test_bytes_that_are_not_utf8(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"a,b\n1,\xff\n2,\xc3\xa9\n")
    blocks = list(csv_lines.read(str(tmp_path / "a.csv")))
    assert blocks[0].frame.rows() == [("2", "é")] and blocks[0].rows.tolist() == [1]
    assert [(line.row, line.reason) for line in blocks[0].broken] == [(0, "bytes that are not UTF-8 in a CSV line")]


def test_compressed_empty_and_headless_files(tmp_path: Path) -> None:
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"a,b\n1,2\n"))
    assert everything(tmp_path / "a.csv.gz") == ([(0, ("1", "2"))], [])
    (tmp_path / "b.csv").write_text("")
    assert everything(tmp_path / "b.csv") == ([], [])
    for header in ("a,b\n", "a,b", "a,b\r\n", "a,b\r", '"a","b"', "\ufeffa,b"):
        (tmp_path / "c.csv").write_text(header, newline="")
        assert everything(tmp_path / "c.csv") == ([], [])
    (tmp_path / "d.csv").write_text("a,b,a\n1,2,3\n")
    with pytest.raises(InputError, match="the header has two columns 'a'"):
        everything(tmp_path / "d.csv")


def test_headers_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("année,b\n1,2\n".encode("latin-1"))
    with pytest.raises(InputError, match=r"a\.csv: the header is not UTF-8\. Save the file as UTF-8"):
        everything(tmp_path / "a.csv")
    (tmp_path / "b.csv").write_text('"a,b\n' + "1,2\n" * 60_000)
    with pytest.raises(InputError, match=r"b\.csv: the header is not a CSV line .* Does a quote never close"):
        everything(tmp_path / "b.csv")
