"""The numbers of the playground are those of `gatewise recommend` and `gatewise predict`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from models.recipe.errors import InputError
from pipeline.predict import answer as predicted
from pipeline.recommending.recommend import recommend
from pipeline.ui.playground import NO_RETRIEVAL, Playground
from pipeline.ui.pushed import pushed_version
from pipeline.ui.sample import NO_EXAMPLES
from tests.doubles.run_records import A, B

VERSION = 1700000000
ANN = {"age": 2, "hour": 1}


@pytest.fixture
def shop(root: Path, stored: None) -> Playground:
    return Playground(pushed_version(root, "shop"))


@pytest.fixture
def alone(root: Path, stored: None) -> Playground:
    return Playground(pushed_version(root, "alone"))


def ids(answer: dict[str, Any]) -> list[str]:
    return [item["item"] for item in answer["items"]]


@pytest.mark.parametrize("history", [[], [8, 16]])
@pytest.mark.parametrize("weights", [{}, {"taste": -1.0}])
def test_the_numbers_of_recommend(shop: Playground, root: Path, history: list[int], weights: dict[str, float]) -> None:
    found = shop.answer({"user": ANN, "history": [str(one) for one in history], "weights": weights, "k": 3})
    answer = recommend(root / "serving" / "shop", {**ANN, "history": history}, weights=weights, k=3)
    kept = ("item", "score", "retrieval_score", "tasks")
    assert [{name: item[name] for name in kept} for item in found["items"]] == [
        {**item, "item": str(item["item"])} for item in answer.items
    ]
    assert len(found["candidates"]) == answer.candidates == 4


def test_a_choice_moves_the_list(shop: Playground) -> None:
    """Age 2 and hour 1: the retrieval scores of 8 to 40 are 8, 6, 4, 2, 0. Two items in the history make them 8, 6, 6, 2, 18."""
    before, after = shop.answer({"user": ANN}), shop.answer({"user": ANN, "history": ["8", "16"]})
    assert before["candidates"] == ["8", "16", "24", "32"] and ids(before) == ["16", "24", "32", "8"]
    assert after["candidates"] == ["40", "8", "16", "24"] and ids(after) == ["40", "16", "24", "8"]
    assert after["history"] == [{"item": "8", "columns": {}}, {"item": "16", "columns": {"tags": ["x", "y"]}}]
    assert [item["retrieval_place"] for item in after["items"]] == [1, 3, 4, 2]


def test_order_number_and_exclusion(shop: Playground) -> None:
    request = {"user": ANN, "history": ["8", "16"]}
    assert ids(shop.answer({**request, "order": "retrieval", "k": 2})) == ["40", "8"]
    assert ids(shop.answer({**request, "exclude": True})) == ["40", "24", "32"]
    everything = shop.answer({"history": ["8", "16", "24", "32", "40"], "exclude": True})
    assert (everything["items"], everything["candidates"]) == ([], [])
    assert shop.answer({"history": ["9"]})["history"] == [{"item": "9", "columns": {}}], "an item without a row"


def test_what_the_page_shows_of_a_pair(shop: Playground, root: Path, artifacts: dict[str, Path]) -> None:
    about = shop.about()
    assert (about["model"], about["version"], about["run"]) == ("shop", VERSION, B)
    assert about["weights"] == {"taste": 2.0} and about["score"] == "click * taste"
    assert about["moves"] and about["retrieval"] and about["note"] == about["missing"] == ""
    assert about["actions"] == ["click", "order"] and about["items"] == 5
    assert {column["name"]: column["values"] for column in about["columns"]} == {
        "who": ["Ann", "Bob"],
        "age": [],
        "hour": [1, 3],
    }
    # Users with a history, if there are any.
    assert about["users"] == [{"name": "u2", "values": {"who": "Bob", "age": 5.0, "hour": 3}, "history": [16, 8]}]
    served = root / "serving"
    assert about["sources"] == {
        "ranker": str(served / "shop" / str(VERSION)),
        "candidates": str(served / "shop_retrieval" / str(VERSION) / "assets.extra" / "items.parquet"),
        "users": str(artifacts["EventLogs.examples"] / "Split-eval"),
        "histories": str(artifacts["Interactions.interactions"] / "Split-eval_queries" / "eval_queries.parquet"),
    }


def test_the_numbers_of_predict(alone: Playground, root: Path, tmp_path: Path) -> None:
    """Without a retrieval model the items of the eval examples are ranked."""
    found = alone.answer({"user": {"age": 2}})
    assert ids(found) == ["40", "32", "24", "16", "8"]  # clicks 8, 6, 6, 6, 3; of ties, the most frequent first
    tags = {"16": "x|y", "24": "x", "40": "x"}
    requests = tmp_path / "requests.jsonl"
    requests.write_text(
        "\n".join(json.dumps({"age": 2, "item": int(item), "tags": tags.get(item)}) for item in ids(found))
    )
    assert [item["tasks"] for item in found["items"]] == predicted(root / "serving" / "alone", requests)


def test_without_a_retrieval_model_the_page_says_that_nothing_moves(alone: Playground) -> None:
    about = alone.about()
    assert about["note"] == NO_RETRIEVAL and not about["moves"] and not about["retrieval"]
    assert (about["actions"], about["run"], about["items"]) == (["tap"], A, 5)
    assert [user["name"] for user in about["users"]] == ["u1", "u2"]
    request = {"user": {"age": 2}, "history": ["8"]}
    assert ids(alone.answer(request)) == ids(alone.answer({"user": {"age": 2}}))
    assert alone.answer(request)["history"] == [{"item": "8", "columns": {}}]
    assert "8" not in ids(alone.answer({**request, "exclude": True}))


def test_without_eval_examples_values_are_typed(root: Path) -> None:
    playground = Playground(pushed_version(root, "shop"))
    about = playground.about()
    assert about["users"] == [] and about["missing"].startswith(NO_EXAMPLES)
    assert ids(playground.answer({"user": ANN})) == ["16", "24", "32", "8"]


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({"user": {"agee": 1}}, "unknown column 'agee'; did you mean 'age'"),
        ({"user": [1]}, "expected objects `user` and `weights`"),
        ({"weights": {"tast": 1}}, "unknown tunable weight 'tast'"),
        ({"weights": {"taste": float("nan")}}, "weight 'taste': expected a finite number"),
        ({"k": 0}, "k: expected a whole number from 1 to 500, received 0"),
        ({"history": [1.5]}, "history: expected item ids"),
        ({"history": ["eight"]}, "history: expected whole numbers"),
    ],
)
def test_a_request_that_does_not_fit(shop: Playground, request_: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        shop.answer(request_)


def test_a_model_or_version_that_is_not_there(root: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="unknown model 'shopp'; did you mean 'shop'"):
        pushed_version(root, "shopp")
    with pytest.raises(InputError, match=f"no version 7; it has {VERSION}"):
        pushed_version(root, "shop", 7)
    with pytest.raises(InputError, match="no pushed model"):
        pushed_version(tmp_path)
