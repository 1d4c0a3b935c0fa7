"""How files are written is said once per file, and reaches their readers."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pydantic
import pytest

from components.event_logs.blocks import Block
from components.event_logs.plan import EventLogsPlan
from components.event_logs.streams import pieces, read, require_columns
from models.recipe.errors import InputError
from models.recipe.logs import Csv
from models.recipe.recipe import Recipe

TABS = {"delimiter": "\t", "quote": None, "escape": "\\", "header": ["user", "item", "time"]}


def plan(recipe: Recipe) -> EventLogsPlan:
    return EventLogsPlan.from_recipe(recipe)


def test_the_recipe_s_csv_reaches_the_reader(
    shop_recipe: Callable[..., Recipe], write_log: Callable[..., Path]
) -> None:
    write_log("impression.csv", '1\t"a\t1700000000\n')
    write_log("click.csv", "user,item,time\n1,a,1700000001\n")
    clicks, shown = pieces(plan(shop_recipe(streams={"impression": {"csv": TABS}})))
    [block] = read(shown)
    assert block.frame.rows() == [("1", '"a', "1700000000")] and block.columns == ("user", "item", "time")
    [block] = read(clicks)
    assert block.frame.rows() == [("1", "a", "1700000001")]


def test_labelled_examples_have_it_too(
    tmp_path: Path, write_log: Callable[..., Path], shop_recipe: Callable[..., Any]
) -> None:
    write_log("a.csv", "1;2\n")
    fields = shop_recipe().model_dump(exclude={"logs"}, exclude_none=True)
    fields["tasks"] = {"click": {"kind": "binary", "label": {"column": "y"}}}
    recipe = Recipe.model_validate(
        fields | {"examples": {"path": "a.csv", "csv": {"delimiter": ";", "header": ["x", "y"]}}}
    )
    [piece] = pieces(plan(recipe))
    assert next(read(piece)).frame.to_dicts() == [{"x": "1", "y": "2"}]


def test_two_streams_of_a_file_agree(shop_recipe: Callable[..., Recipe], write_log: Callable[..., Path]) -> None:
    write_log("all.csv", "kind\tuser\titem\ttime\n")
    streams: dict[str, Any] = {
        name: {"path": "all.csv", "where": {"kind": [name]}, "csv": {"delimiter": "\t"}}
        for name in ("impression", "click")
    }
    assert len(pieces(plan(shop_recipe(streams=streams)))) == 1
    del streams["click"]["csv"]
    with pytest.raises(
        InputError,
        match=r"stream 'click': its `csv` for .*all\.csv differs from that of stream 'impression', .*Set the same",
    ):
        pieces(plan(shop_recipe(streams=streams)))


def test_csv_of_another_format_is_refused(shop_recipe: Callable[..., Recipe], shop_log: Callable[..., None]) -> None:
    shop_log("jsonl")
    with pytest.raises(
        InputError, match=r"stream 'click': `csv` applies only to CSV files, but .*click\.jsonl is jsonl\."
    ):
        pieces(plan(shop_recipe(streams={"click": {"csv": {"delimiter": ";"}}})))


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (
            "click.csv",
            b"user,item,time\n1\n2\n",
            r"none of its 2 lines is a row of csv; the first: 1 fields in a CSV line",
        ),
        (
            "click.jsonl",
            b"user,item\n1,2\n\n",
            r"none of its 2 lines is a row of jsonl; the first: a line that is not JSON",
        ),
        ("click.jsonl", "{}\n".encode("utf-16"), "those of UTF-16 text"),
        ("click.csv", b"\x80\x81\n", "the header is not UTF-8"),
    ],
)
def test_a_file_without_a_single_row_stops_the_run(
    shop_recipe: Callable[..., Recipe], write_log: Callable[..., Path], name: str, content: bytes, said: str
) -> None:
    path = write_log(name, "")
    write_log("impression.csv", "user,item,time\n")
    path.write_bytes(content)
    clicks, _ = pieces(plan(shop_recipe()))
    with pytest.raises(InputError, match=rf"{path}: .*{said}"):
        list(read(clicks))


def test_files_of_blank_lines_are_empty(shop_recipe: Callable[..., Recipe], write_log: Callable[..., Path]) -> None:
    write_log("impression.csv", "\n\n")
    write_log("click.jsonl", "\n\n")
    assert [sum(block.frame.height for block in read(piece)) for piece in pieces(plan(shop_recipe()))] == [0, 0]


@pytest.mark.parametrize(
    ("csv", "said"),
    [
        ({"delimiter": ",,"}, "pattern"),
        ({"delimiter": "\n"}, "pattern"),
        ({"quote": "é"}, "pattern"),
        ({"escape": '"'}, "`delimiter`, `quote` and `escape` must differ"),
        ({"header": ["a", "b", "a"]}, "`header` names column 'a' twice"),
        ({"header": []}, "at least 1"),
    ],
)
def test_dialects_that_cannot_be(csv: dict[str, Any], said: str) -> None:
    with pytest.raises(pydantic.ValidationError, match=said):
        Csv.model_validate(csv)


def test_the_name_of_a_folder_is_no_column() -> None:
    block = Block(pl.DataFrame({"user": [1]}), np.array([0]), ("user",))
    message = r"no column 'dt' \(key of stream 'click'\)\. Known: user\. Folder names do not become columns: write the value into the rows\."
    with pytest.raises(InputError, match=message):
        require_columns(block, {"dt": "key of stream 'click'"}, "click/dt=2026-01-01/part-0.parquet")
    with pytest.raises(InputError, match=r"Known: user\.$"):
        require_columns(block, {"dt": "key of stream 'click'"}, "click/day=2026-01-01/dt=1.parquet")


@pytest.mark.parametrize("mark, written", [(";", '";"'), ("\t", r'"\t"'), ("|", '"|"')])
def test_a_header_with_another_delimiter(mark: str, written: str) -> None:
    block = Block(pl.DataFrame(), np.array([]), (f"user{mark}item",), untyped=True)
    message = re.escape(f"If {mark!r} separates the values, set `csv: {{delimiter: {written}}}`.")
    with pytest.raises(InputError, match=message):
        require_columns(block, {"user": "key of stream 'click'"}, "click.csv")
