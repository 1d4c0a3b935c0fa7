"""The client gives the same answers in this process, by REST and by gRPC, and says what a server refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from models.recipe.errors import InputError
from pipeline.cli import main
from pipeline.serving.client import ask

PAGES = [
    {"user": {"who": "a", "age": 2}, "candidates": [{"item": 8}, {"item": 24, "tags": "x|y"}]},
    {"user": {}, "candidates": [{"item": 16, "tags": ["a"]}], "weights": {"taste": -1}},
]
ROWS = [{"who": "a", "age": 2.5, "item": 8, "tags": ["x", "y"]}, {"item": 16}, {}]


@pytest.fixture
def places(server: Any, root: Path) -> list[str]:
    rest, rpc = f"http://127.0.0.1:{server.rest_port}/v1/models/shop", f"grpc://127.0.0.1:{server.grpc_port}/shop"
    return [
        str(root / "serving" / "shop"),
        *(rest + end for end in ("", ":predict", "/versions/3", "/labels/stable")),
        *(rpc + end for end in ("", "/versions/3", "/labels/canary")),
    ]


def lines(path: Path, rows: list[Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_pages(places: list[str], tmp_path: Path) -> None:
    pages = [PAGES[0], PAGES[1]]
    for number, place in enumerate(places):
        # A server does not tell how a text is split.
        candidates = [{"item": 8}, {"item": 24, "tags": "x|y" if number == 0 else ["x", "y"]}]
        pages[0] = {"user": PAGES[0]["user"], "candidates": candidates}
        assert ask(place, lines(tmp_path / "pages.jsonl", pages), "rank") == [
            {"click": [3.0, 7.0], "ranking": [1, 0], "score": [6.0, 14.0]},
            {"click": [4.0], "ranking": [0], "score": [-4.0]},
        ], place


@pytest.mark.parametrize("signature", ["raw", "serving_default"])
def test_rows(places: list[str], signature: str, tmp_path: Path) -> None:
    requests = lines(tmp_path / "rows.jsonl", ROWS)
    for place in places:
        assert ask(place, requests, signature) == [{"click": 5.5}, {"click": 3.0}, {"click": 1.0}], place
        assert ask(place, lines(tmp_path / "none.jsonl", []), signature) == []


@pytest.mark.parametrize(
    ("place", "row", "signature", "words"),
    [
        (0, {}, "rang", "--signature: unknown signature 'rang'; did you mean 'rank'?"),
        (1, {"user": {"ag": 1}, "candidates": []}, "rank", "unknown column 'ag'; did you mean 'age'?"),
        (5, {"user": {}, "candidates": [{"age": "x"}]}, "rank", "column 'age': expected a number of 32 bits"),
        (
            1,
            {"user": {}, "candidates": [{}], "weights": {"tast": 1}},
            "rank",
            "unknown weight 'tast'; did you mean 'taste'?",
        ),
        (
            1,
            {"user": {}, "candidates": [{}], "weights": {"taste": "x"}},
            "rank",
            "expected a number for the weight 'taste'",
        ),
        (1, {"candidates": [{"age": 1}, {"age": 2}]}, "rank", ":predict: 400: "),
        (5, {"candidates": [{"age": 1}, {"age": 2}]}, "rank", "INVALID_ARGUMENT: "),
    ],
)
def test_refusals(places: list[str], place: int, row: Any, signature: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        ask(places[place], lines(tmp_path / "rows.jsonl", [row]), signature)
    assert words in str(error.value)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://127.0.0.1:9/v1/models/shop", "no response from a model server"),
        ("grpc://127.0.0.1:9/shop", "UNAVAILABLE"),
        ("ftp://x/shop", "expected http://HOST:PORT/v1/models/NAME or grpc://HOST:PORT/NAME"),
        ("no/such/folder", "no exported model here"),
    ],
)
def test_no_server(url: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=words):
        ask(url, lines(tmp_path / "rows.jsonl", [{}]), "raw")


def test_another_model_of_the_server(places: list[str], tmp_path: Path) -> None:
    for place, words in ((1, "404: Servable not found for request: Latest"), (5, "NOT_FOUND: Servable not found")):
        with pytest.raises(InputError, match=words):
            ask(places[place].replace("shop", "shoe"), lines(tmp_path / "rows.jsonl", [{}]), "raw")


def test_the_command(places: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    requests = lines(tmp_path / "rows.jsonl", ROWS)
    with pytest.raises(SystemExit) as end:
        main(["request", places[5], "--input", str(requests), "--signature", "raw"])
    assert end.value.code in (None, 0)
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == [
        {"click": 5.5},
        {"click": 3.0},
        {"click": 1.0},
    ]
