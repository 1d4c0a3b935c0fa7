"""JSON lines: types as text, broken lines, blocks."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from components.event_logs import json_lines


def everything(path: Path, block_bytes: int = 1 << 20) -> tuple[dict, list]:
    rows, broken = {}, []
    for block in json_lines.read(str(path), block_bytes):
        rows |= dict(zip(block.rows.tolist(), block.frame.to_dicts(), strict=True))
        broken += [(line.row, line.reason) for line in block.broken]
    return rows, broken


def test_scalars_become_text_and_arrays_lists() -> None:
    lines = [b'{"a": 1, "b": "x", "c": [1, 2]}', b'{"a": 2.0, "b": true, "c": null}', b'{"a": 2.5, "d": -7}']
    frame, good, broken = json_lines.parse(lines)
    assert frame.to_dicts() == [
        {"a": "1", "b": "x", "c": ["1", "2"], "d": None},
        {"a": "2", "b": "true", "c": None, "d": None},
        {"a": "2.5", "b": None, "c": None, "d": "-7"},
    ]
    assert good.tolist() == [0, 1, 2] and broken == []


def test_lines_that_are_no_objects() -> None:
    lines = [b'{"a": 1}', b'{"a": 1', b"[1]", b'{"a": Infinity}', b"\xff", b'{"a": 2.0}']
    frame, good, broken = json_lines.parse(lines)
    assert frame["a"].to_list() == ["1", "2"] and good.tolist() == [0, 5]
    assert [reason for _, reason, _ in broken] == [
        "a line that is not JSON",
        "a JSON line that is not an object",
        "a line that is not JSON",
        "a line that is not JSON",
    ]
    assert [number for number, _, _ in broken] == [1, 2, 3, 4]
    assert json.loads(broken[0][2]) == {"line": '{"a": 1'}


def test_a_field_that_is_a_list_here_and_a_number_there() -> None:
    frame, _, broken = json_lines.parse([b'{"a": [1, "x"], "b": {"q": 1}}', b'{"a": 4.0, "b": 3}'])
    assert frame["a"].to_list() == [["1", "x"], ["4"]] and broken == []
    assert frame.schema["a"] == pl.List(pl.String)


@pytest.mark.parametrize("other", ['"x"', '""', '"[x"', "4", "true", "null", "[]"])
def test_a_list_is_a_list_whatever_stands_in_other_lines(other: str) -> None:
    lines = [b'{"a": ["p", 7], "b": "["}', f'{{"a": {other}, "b": "\\"a\\": ["}}'.encode()]
    for together in (lines, lines[::-1]):
        frame, _, broken = json_lines.parse(together)
        assert frame.schema["a"] == pl.List(pl.String) and frame.schema["b"] == pl.String and broken == []
        assert ["p", "7"] in frame["a"].to_list()


def test_texts_that_look_like_lists_stay_texts() -> None:
    frame, _, _ = json_lines.parse([b'{"a": "[1, 2]", "b": [1]}', b'{"a": "x", "b": []}'])
    assert frame["a"].to_list() == ["[1, 2]", "x"]


@pytest.mark.parametrize("company", ['{"a": "x"}', '{"a": [1]}', '{"a": {"q": 1}}', '{"a": Infinity}'])
def test_half_of_a_surrogate_pair_breaks_its_line(company: str) -> None:
    texts = [
        r"\ud83d",
        r"x\uDE00",
        r"\ude00\ud83d",
        r"\ud83d\ud83d\ude00",
        r"\ud83d\ude00",
        r"\\ud83d",
        r"\ud83d\uDE00 \u00e9",
    ]
    frame, good, broken = json_lines.parse([company.encode(), *(f'{{"a": "{text}"}}'.encode() for text in texts)])
    reason = "half of a surrogate pair in a text of a JSON line"
    assert [number for number, why, _ in broken if why == reason] == [1, 2, 3, 4]
    values = [value[0] if isinstance(value, list) else value for value in frame["a"].to_list()]
    assert values[-3:] == ["\U0001f600", r"\ud83d", "\U0001f600 é"] and good.tolist()[-3:] == [5, 6, 7]


@pytest.mark.parametrize("block_bytes", [10, 333, 1 << 20])
@pytest.mark.parametrize("end", ["", "\n"])
def test_blocks_change_nothing(tmp_path: Path, block_bytes: int, end: str) -> None:
    path = tmp_path / "a.jsonl"
    lines = [json.dumps({"a": n, "b": "z" * (n % 40)}) if n % 7 else "{" + "y" * n for n in range(200)]
    path.write_text("\n\n".join(lines) + end)
    rows, broken = everything(path, block_bytes)
    assert rows == {n: {"a": str(n), "b": "z" * (n % 40)} for n in range(200) if n % 7}
    assert broken == [(n, "a line that is not JSON") for n in range(0, 200, 7)]


def test_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("")
    assert everything(tmp_path / "a.jsonl") == ({}, [])


def test_of_a_key_that_is_there_twice_the_first_counts_on_both_ways() -> None:
    twice = b'{"a": 1, "b": 2, "a": 3}'
    assert json_lines.parse([twice])[0].to_dicts() == [{"a": "1", "b": "2"}]
    frame = json_lines.parse([twice, b'{"a": [4]}'])[0]
    assert frame["a"].to_list() == [["1"], ["4"]]


def test_a_byte_order_mark_is_no_part_of_the_first_line(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('\ufeff{"a": 1}\n{"a": 2}\n')
    for block_bytes in (10, 1 << 20):
        assert everything(tmp_path / "a.jsonl", block_bytes) == ({0: {"a": "1"}, 1: {"a": "2"}}, [])


def test_a_missing_number_as_python_writes_it_is_null() -> None:
    rows = [{"a": float("nan"), "b": "NaN, a name", "c": [1, float("nan")]}, {"a": 2.5, "b": "\U0001f600", "c": []}]
    frame, good, broken = json_lines.parse([json.dumps(row).encode() for row in rows])
    assert frame["a"].to_list() == [None, "2.5"] and frame["b"][0] == "NaN, a name"
    assert frame["c"].to_list() == [["1", None], []]
    assert good.tolist() == [0, 1] and broken == []
    # The line that holds infinity besides is broken, and no other.
    frame, good, broken = json_lines.parse([b'{"a": NaN, "b": -Infinity}', b'{"a": NaN, "b": 1e400}', b'{"a": NaN}'])
    assert 2 in good.tolist() and broken[0][0] == 0
