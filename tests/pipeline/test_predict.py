"""The requests' file of `gatewise predict`, line by line."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.errors import InputError
from pipeline.predict import read_requests


def test_only_a_line_feed_ends_a_request(tmp_path: Path) -> None:
    (tmp_path / "r.jsonl").write_text('{"a": "x\u2028y"}\n\n{"a": "x\x85y"}\r\n', encoding="utf-8")
    assert read_requests(tmp_path / "r.jsonl") == [{"a": "x\u2028y"}, {"a": "x\x85y"}]


@pytest.mark.parametrize("text", ["{", '{"a": ' + "9" * 5000 + "}", "[" * 100_000])
def test_a_line_that_is_no_json(text: str, tmp_path: Path) -> None:
    (tmp_path / "r.jsonl").write_text("{}\n" + text)
    with pytest.raises(InputError, match=r"r.jsonl:2: no valid JSON \(.+\); expected one object per line"):
        read_requests(tmp_path / "r.jsonl")
