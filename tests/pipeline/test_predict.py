"""The requests' file of `gatewise predict`, line by line."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.recipe.errors import InputError
from pipeline.predict import read_requests, serialized


def test_only_a_line_feed_ends_a_request(tmp_path: Path) -> None:
    (tmp_path / "r.jsonl").write_text('{"a": "x\u2028y"}\n\n{"a": "x\x85y"}\r\n', encoding="utf-8")
    assert read_requests(tmp_path / "r.jsonl") == {1: {"a": "x\u2028y"}, 3: {"a": "x\x85y"}}


@pytest.mark.parametrize("text", ["{", '{"a": ' + "9" * 5000 + "}", "[" * 100_000])
def test_a_line_that_is_no_json(text: str, tmp_path: Path) -> None:
    (tmp_path / "r.jsonl").write_text("{}\n" + text)
    with pytest.raises(InputError, match=r"r.jsonl:2: not valid JSON \(.+\); expected one object"):
        read_requests(tmp_path / "r.jsonl")


def test_a_line_that_does_not_fit_is_named_by_its_number(tmp_path: Path) -> None:
    """Blank lines count, and a byte order mark, as Windows' editors write it, does not matter."""
    (tmp_path / "r.jsonl").write_bytes(b'\xef\xbb\xbf{"a": 1}\n\n{"a": "x"}\n')
    rows = read_requests(tmp_path / "r.jsonl")
    assert rows == {1: {"a": 1}, 3: {"a": "x"}}
    with pytest.raises(InputError, match="line 3, column 'a': expected a number of 32 bits, received 'x'"):
        serialized(rows, {"a": {"type": "float", "multivalued": False, "separator": None}})
