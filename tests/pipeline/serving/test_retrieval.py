"""A retrieval model beside a ranker: served, asked in this process, by REST and by gRPC, and refused where a ranker is wanted."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from small_ranker import write_ranker
from small_retrieval import write_retrieval

from models.recipe.errors import InputError
from pipeline.predict import answer
from pipeline.serving.client import ask

VECTORS = [[4.0, 0.0], [2.0, 1.0], [0.0, 9.0]]
IDS: dict[str, list[Any]] = {"int": [8, 16, 24], "bytes": [b"a", "\u00fc".encode(), b"\xff"]}
NAMES: dict[str, list[Any]] = {"int": [8, 16, 24], "bytes": ["a", "ü", {"b64": "/w=="}]}


@pytest.fixture(scope="module", params=["int", "bytes"])
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    """Both models, and one of the same items that gives vectors only."""
    from pipeline.serving.server import Server

    root, kind = tmp_path_factory.mktemp("root"), request.param
    for name in ("shop", "shop_retrieval", "large_retrieval"):
        (root / "serving" / name).mkdir(parents=True)
    write_ranker(root / "serving" / "shop", 3)
    rows = [{"item": item} for item in IDS[kind]]
    write_retrieval(root / "serving" / "shop_retrieval", 3, rows, VECTORS, kind)
    write_retrieval(root / "serving" / "large_retrieval", 3, rows, VECTORS, kind, answers=0)
    running = Server(root, "127.0.0.1", 0, 0, poll_seconds=3600)
    rest, rpc = f"http://127.0.0.1:{running.rest_port}/v1/models", f"grpc://127.0.0.1:{running.grpc_port}"
    yield SimpleNamespace(
        kind=kind,
        models=running.models,
        rest=rest,
        folder=root / "serving",
        places=[str(root / "serving"), rest, rpc],
        items=NAMES[kind],
        known=[name for name in NAMES[kind] if not isinstance(name, dict)],
    )
    running.stop()


def lines(path: Path, *rows: Any) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def http(url: str, body: Any = None) -> Any:
    with urllib.request.urlopen(url, None if body is None else json.dumps(body).encode(), timeout=30) as response:
        return json.loads(response.read())


def test_it_is_served_beside_the_ranker(served: SimpleNamespace) -> None:
    assert served.models.served == {"large_retrieval": 3, "shop": 3, "shop_retrieval": 3}
    [status] = http(f"{served.rest}/shop_retrieval")["model_version_status"]
    assert (status["version"], status["state"]) == ("3", "AVAILABLE")
    signatures = http(f"{served.rest}/shop_retrieval/metadata")["metadata"]["signature_def"]["signature_def"]
    assert {"serving_default", "query"} <= set(signatures)
    assert set(signatures["serving_default"]["inputs"]) == {"age", "hour", "history", "exclude"}
    assert set(signatures["serving_default"]["outputs"]) == {"item_ids", "scores"}


def test_by_rest_alone(served: SimpleNamespace) -> None:
    """Age 1, one item of history: 4, 3, 9; the first is excluded, and an answer has a place for it all the same."""
    no_id = {"int": -(2**63), "bytes": ""}[served.kind]
    columns = {"age": [1], "hour": [-(2**63)], "history": [[served.known[0]]], "exclude": [[served.known[0], no_id]]}
    if served.kind == "bytes":  # what is no UTF-8 has no place in an answer that is text
        columns["exclude"] = [[served.known[0], {"b64": "/w=="}]]
        wanted = {"item_ids": [["ü", "", ""]], "scores": [[3.0, float("-inf"), float("-inf")]]}
    else:
        wanted = {"item_ids": [[24, 16, -1]], "scores": [[9.0, 3.0, float("-inf")]]}
    assert http(f"{served.rest}/shop_retrieval:predict", {"inputs": columns})["outputs"] == wanted


def test_requests_get_the_same_answer_everywhere(served: SimpleNamespace, tmp_path: Path) -> None:
    first, second = served.known[:2]
    requests = lines(
        tmp_path / "requests.jsonl",
        {"age": 2, "history": [first, second, second]},  # 8, 7, 27
        {},  # 4, 2, 0
        {"exclude": [first, second], "hour": 3},
    )
    for number, place in enumerate(served.places):
        a, b, c = served.items
        if number == 1 and served.kind == "bytes":
            c = "\ufffd"  # TensorFlow Serving's REST writes text only
        assert ask(f"{place}/shop_retrieval", requests, "serving_default") == [
            {"item_ids": [c, a, b], "scores": [27.0, 8.0, 7.0]},
            {"item_ids": [a, b, c], "scores": [4.0, 2.0, 0.0]},
            {"item_ids": [c], "scores": [0.0]},
        ], place
        assert ask(f"{place}/shop_retrieval", lines(tmp_path / "none.jsonl"), "serving_default") == []


def test_the_ranker_answers_as_before(served: SimpleNamespace, tmp_path: Path) -> None:
    requests = lines(tmp_path / "requests.jsonl", {"age": 2, "item": 8})
    for place in served.places:
        assert ask(f"{place}/shop", requests, "serving_default") == [{"click": 3.0}]


@pytest.mark.parametrize("signature", ["rank", "raw"])
def test_it_ranks_nothing(served: SimpleNamespace, signature: str, tmp_path: Path) -> None:
    for place in served.places:
        with pytest.raises(InputError, match=f"a retrieval model has no signature '{signature}'.*gatewise recommend"):
            ask(f"{place}/shop_retrieval", lines(tmp_path / "requests.jsonl", {}), signature)


def test_one_that_gives_vectors_only(served: SimpleNamespace, tmp_path: Path) -> None:
    for place in served.places:
        with pytest.raises(InputError, match=r"more items than `retrieval\.max_exact_items`.*gatewise index"):
            ask(f"{place}/large_retrieval", lines(tmp_path / "requests.jsonl", {}), "serving_default")


def test_a_column_that_it_lacks(served: SimpleNamespace, tmp_path: Path) -> None:
    for place in served.places:
        with pytest.raises(InputError, match=r"unknown column 'histori'; did you mean 'history'\?"):
            ask(f"{place}/shop_retrieval", lines(tmp_path / "requests.jsonl", {"histori": []}), "serving_default")


def test_predict_says_what_to_use_instead(served: SimpleNamespace, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="found a retrieval model.*gatewise recommend.*--signature serving_default"):
        answer(served.folder / "shop_retrieval", lines(tmp_path / "requests.jsonl", {}))
