"""From a user to a list, with two small models whose answers can be worked out by hand.

The ranker's click is age + item / 8 + number of tags + hour, its score twice that. Of the retrieval model the user's vector
is [age, number of items in the history].
"""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from small_ranker import INPUTS, write_ranker
from small_retrieval import write_retrieval

from models.recipe.errors import InputError
from pipeline.cli import main
from pipeline.recommending.recommend import recommend

HOUR = {"hour": {"type": "int", "multivalued": False, "side": "context", "separator": None}}
VECTORS = [[4.0, 0.0], [3.0, 0.0], [2.0, 1.0], [1.0, 0.0], [0.0, 9.0]]
TAGS: list[list[bytes]] = [[], [b"x", b"y"], [b"x"], [], [b"x"]]
"""Items 8, 16, 24, 32 and 40: the fourth has nothing but its id."""


def items(kind: str) -> list[dict[str, Any]]:
    return [
        {"item": number if kind == "int" else f"i{number:02}".encode(), "tags": tags}
        for number, tags in zip(range(8, 48, 8), TAGS, strict=True)
    ]


@pytest.fixture(scope="module", params=["int", "bytes"])
def pushed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """root, and named(number): an item's id."""
    root, kind = tmp_path_factory.mktemp("serving"), request.param
    for name in ("shop", "shop_retrieval"):
        (root / name).mkdir()
    inputs = {**INPUTS, **HOUR, "item": {**INPUTS["item"], "type": kind}}
    write_ranker(root / "shop", 3, inputs=inputs)
    write_retrieval(root / "shop_retrieval", 3, items(kind), VECTORS, kind, answers=4)
    return SimpleNamespace(root=root, named=lambda number: number if kind == "int" else f"i{number:02}")


def answered(answer: Any) -> list[Any]:
    return [row["item"] for row in answer.items]


def test_retrieved_then_ranked(pushed: SimpleNamespace) -> None:
    """Age 2, hour 1: the retrieval scores are 8, 6, 4, 2, 0, and the last one is not asked for; the clicks are 4, 7, 7, 7."""
    answer = recommend(pushed.root, {"age": 2, "hour": 1})
    assert answer.items == [
        {"item": pushed.named(16), "score": 14.0, "retrieval_score": 6.0, "tasks": {"click": 7.0}},
        {"item": pushed.named(24), "score": 14.0, "retrieval_score": 4.0, "tasks": {"click": 7.0}},
        {"item": pushed.named(32), "score": 14.0, "retrieval_score": 2.0, "tasks": {"click": 7.0}},
        {"item": pushed.named(8), "score": 8.0, "retrieval_score": 8.0, "tasks": {"click": 4.0}},
    ]
    assert (answer.model, answer.tasks, answer.candidates) == ("shop version 3", ("click",), 4)


def test_the_history_goes_to_the_retrieval_model(pushed: SimpleNamespace) -> None:
    """Two items: 4, 3, 4, 1, 18; age 1 and no hour: the clicks of 40, 8, 24 and 16 are 7, 2, 5 and 5."""
    answer = recommend(pushed.root, {"history": [pushed.named(8), pushed.named(16)]})
    assert answered(answer) == [pushed.named(number) for number in (40, 24, 16, 8)]
    assert [row["retrieval_score"] for row in answer.items] == [18.0, 4.0, 3.0, 4.0]


def test_a_user_never_seen(pushed: SimpleNamespace) -> None:
    assert answered(recommend(pushed.root, {})) == [pushed.named(number) for number in (16, 24, 32, 8)]


def test_an_item_without_features_is_ranked_by_its_id(pushed: SimpleNamespace) -> None:
    """Excluding what is before it leaves the fourth and the fifth."""
    answer = recommend(pushed.root, {"exclude": [pushed.named(number) for number in (8, 16, 24)]})
    assert [(row["item"], row["tasks"]["click"]) for row in answer.items] == [
        (pushed.named(40), 7.0),
        (pushed.named(32), 5.0),
    ]


def test_everything_excluded(pushed: SimpleNamespace) -> None:
    answer = recommend(pushed.root, {"exclude": [pushed.named(number) for number in range(8, 48, 8)]})
    assert answer.items == [] and answer.candidates == 0


def test_k_and_candidates(pushed: SimpleNamespace) -> None:
    assert answered(recommend(pushed.root, {}, k=2)) == [pushed.named(16), pushed.named(24)]
    assert answered(recommend(pushed.root, {}, k=2, most_candidates=1)) == [pushed.named(8)]
    assert len(recommend(pushed.root, {}, k=1000, most_candidates=1000).items) == 4


def test_diversity(pushed: SimpleNamespace) -> None:
    """In the ranking 16, 24, 32, 8 the scores scale to 1, 1, 1, 0; 16, 32 and 8 have one direction."""
    assert answered(recommend(pushed.root, {}, diversity=0.1)) == [pushed.named(number) for number in (16, 24, 32, 8)]
    answer = recommend(pushed.root, {"exclude": [pushed.named(24)]}, diversity=0.5)
    # Of 40, at a right angle to all others, 32 and 16, whose scores scale to 1, 0.6 and 0.6, and 8, with 0.
    assert answered(answer) == [pushed.named(number) for number in (40, 16, 32, 8)]


def test_a_prior_is_no_likeness(tmp_path: Path) -> None:
    """Without their last places the vectors are at right angles, or the same; with them all would point one way."""
    for name in ("shop", "shop_retrieval"):
        (tmp_path / name).mkdir()
    write_ranker(tmp_path / "shop", 1)
    rows = [{"item": number} for number in (32, 24, 16)]
    write_retrieval(tmp_path / "shop_retrieval", 1, rows, [[1, 0, 100], [2, 0, 100], [0, 1, 100]], prior=True)
    assert answered(recommend(tmp_path, {})) == [32, 24, 16]
    assert answered(recommend(tmp_path, {}, diversity=0.5)) == [32, 16, 24]
    assert [row["retrieval_score"] for row in recommend(tmp_path, {}).items] == [101.0, 102.0, 100.0]


def test_weights(pushed: SimpleNamespace) -> None:
    answer = recommend(pushed.root, {}, weights={"taste": -1})
    assert answered(answer)[0] == pushed.named(8) and answer.items[0]["score"] == -2.0
    with pytest.raises(InputError, match=r"--weight: unknown tunable weight 'tast'; did you mean 'taste'\?"):
        recommend(pushed.root, {}, weights={"tast": 1})


@pytest.mark.parametrize(
    ("user", "words"),
    [
        ({"agee": 1}, r"--user: unknown column 'agee'; did you mean 'age'\?"),
        ({"tags": ["x"]}, "'tags' belongs to the items"),
        ({"age": "old"}, "--user, row 0, column 'age': expected a number of 32 bits, received 'old'"),
        ({"who": 1.5}, "--user, user, row 0, column 'who': expected a text"),
        ({"history": [1.5]}, "column 'history': expected a"),
        ({"exclude": {"a": 1}}, "column 'exclude': expected a"),
    ],
)
def test_a_user_that_does_not_fit(pushed: SimpleNamespace, user: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        recommend(pushed.root, user)


def test_a_ranker_without_tunable_weights(tmp_path: Path) -> None:
    for name in ("shop", "shop_retrieval"):
        (tmp_path / name).mkdir()
    write_ranker(tmp_path / "shop", 1, weights={})
    write_retrieval(tmp_path / "shop_retrieval", 1, items("int"), VECTORS)
    with pytest.raises(InputError, match="--weight taste: this ranker has no tunable weights.*serving.tunable_weights"):
        recommend(tmp_path, {}, weights={"taste": 1})


@dataclasses.dataclass
class ToyIndex:
    """Exact, and as an index may be: it answers with less than was asked for."""

    ids: np.ndarray
    vectors: np.ndarray

    def search(self, vectors: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        scores = vectors @ self.vectors.T
        order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
        return self.ids[order], np.take_along_axis(scores, order, axis=1)


@pytest.mark.parametrize("kind", ["int", "bytes"])
def test_an_approximate_index(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("shop", "shop_retrieval"):
        (tmp_path / name).mkdir()
    write_ranker(tmp_path / "shop", 1, inputs={**INPUTS, **HOUR, "item": {**INPUTS["item"], "type": kind}})
    write_retrieval(tmp_path / "shop_retrieval", 1, items(kind), VECTORS, kind, answers=0)
    with pytest.raises(InputError, match=r"5 items, too many .*retrieval\.max_exact_items.*gatewise index.*--index"):
        recommend(tmp_path, {})
    ids = np.array([row["item"] for row in items(kind)], object if kind == "bytes" else np.int64)
    asked: list[Path] = []

    def load_index(folder: Path, exported_at: int) -> ToyIndex:
        asked.append(folder)
        assert exported_at == 1
        return ToyIndex(ids, np.array(VECTORS, np.float32))

    monkeypatch.setitem(sys.modules, "pipeline.approximate", SimpleNamespace(load_index=load_index))
    named = [row["item"] if kind == "int" else row["item"].decode() for row in items(kind)]
    user = {"age": 2, "hour": 1, "history": named[:1], "exclude": [named[1], named[3]]}
    answer = recommend(tmp_path, user, most_candidates=2, index=tmp_path / "index")
    assert asked == [tmp_path / "index"]
    # The scores are 8, 6, 5, 2, 9, of which the second and the fourth are excluded; the clicks of 40 and 8 are 9 and 4.
    assert [(row["item"], row["retrieval_score"]) for row in answer.items] == [(named[4], 9.0), (named[0], 8.0)]
    assert len(recommend(tmp_path, user, index=tmp_path).items) == 3


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[Any, str, str]:
    with pytest.raises(SystemExit) as end:
        main(["recommend", *arguments])
    printed = capsys.readouterr()
    return end.value.code or 0, printed.out, printed.err


def test_the_command_s_lines(pushed: SimpleNamespace, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = (str(pushed.root), "--user", '{"age": 2, "hour": 1}', "--k", "1", "--weight", "taste=3")
    code, out, _ = run(capsys, *arguments, "--json")
    assert code == 0
    assert json.loads(out) == {
        "item": pushed.named(16),
        "score": 21.0,
        "retrieval_score": 6.0,
        "tasks": {"click": 7.0},
    }
    code, nothing, _ = run(capsys, *arguments, "--output", str(tmp_path / "answer.jsonl"))
    assert (code, nothing) == (0, "") and (tmp_path / "answer.jsonl").read_text() == out


def test_the_command_s_table(pushed: SimpleNamespace, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, str(pushed.root), "--user", '{"age": 2, "hour": 1}', "--k", "2")
    lines = out.splitlines()
    assert code == 0 and lines[0].strip() == "shop version 3: 2 of 4 candidates"
    cells = [[cell.strip() for cell in line.split("│")[1:-1]] for line in lines if line.startswith("│")]
    assert cells == [
        ["1", str(pushed.named(16)), "14.0000", "6.0000", "7.0000"],
        ["2", str(pushed.named(24)), "14.0000", "4.0000", "7.0000"],
    ]
    assert all(heading in out for heading in ("rank", "item", "score", "retrieval score", "click"))


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_the_command_where_no_item_is_left(
    more: list[str], pushed: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    user = json.dumps({"exclude": [pushed.named(number) for number in range(8, 48, 8)]})
    code, out, err = run(capsys, str(pushed.root), "--user", user, *more)
    assert (code, out) == (0, "")
    assert "shop version 3: no items to recommend" in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--user", "{}", "--weight", "taste"], "--weight: expected NAME=VALUE with a number"),
        (["--user", "{}", "--weight", "taste=nan"], "--weight: expected NAME=VALUE with a number"),
        (["--user", "{}", "--diversity", "nan"], "--diversity"),
        (["--user", "{}", "--diversity", "2"], "--diversity"),
        (["--user", "{}", "--k", "0"], "--k"),
        (["--user", "nowhere"], "--user nowhere: cannot be read"),
        ([], "Missing option '--user'"),
    ],
)
def test_wrong_arguments(
    arguments: list[str], words: str, pushed: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run(capsys, str(pushed.root), *arguments)
    assert (code, out) == (1, "") and words in err and "Traceback" not in err
