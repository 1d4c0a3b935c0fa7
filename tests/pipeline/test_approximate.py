"""Indexes of small catalogues, beside NumPy's exact answers; the model is one whose vectors can be worked out by hand."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pytest
from small_retrieval import write_retrieval

from models.recipe.errors import InputError
from pipeline import approximate_build
from pipeline.approximate import IDS, INDEX, NOTES, load_index
from pipeline.approximate_build import build_index, query_vectors
from pipeline.cli import main

ITEMS, DIM, K = 3_000, 8, 100
FEW = [[1.0, 0.0], [0.0, 1.0], [2.0, 0.0]]


def clustered() -> np.ndarray:
    """(item, place) float32: 30 heaps, of lengths that differ."""
    random = np.random.default_rng(3)
    heaps = random.normal(size=(30, DIM))[random.integers(30, size=ITEMS)]
    lengths = np.exp(0.3 * random.normal(size=(ITEMS, 1)))
    return ((heaps + 0.3 * random.normal(size=(ITEMS, DIM))) * lengths).astype(np.float32)


@pytest.fixture(scope="module")
def vectors() -> np.ndarray:
    return clustered()


def item_id(kind: str, number: int) -> Any:
    return 7 * number if kind == "int" else f"i{number}".encode()


@pytest.fixture(scope="module", params=["int", "bytes"])
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def version(kind: str, vectors: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = [{"item": item_id(kind, number)} for number in range(ITEMS)]
    return write_retrieval(tmp_path_factory.mktemp(kind), 5, rows, vectors.tolist(), kind, answers=0)


@pytest.fixture
def lists(monkeypatch: pytest.MonkeyPatch) -> None:
    """The small catalogue counts as a large one."""
    monkeypatch.setattr(approximate_build, "EXACT_UP_TO", 500)
    monkeypatch.setattr(approximate_build, "_COMPARED", 300)


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_retrieval(tmp_path_factory.mktemp("few"), 1, [{"item": number} for number in (30, 10, 20)], FEW)


def exact(queries: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """(query, K) rows, the slow way."""
    return np.argsort(-(queries @ vectors.T), axis=1, kind="stable")[:, :K]


def test_in_lists_beside_exact_answers(
    kind: str, version: Path, vectors: np.ndarray, lists: None, tmp_path: Path
) -> None:
    about = build_index(version, tmp_path / "index", recall=0.9)
    assert (about["kind"], about["items"], about["dim"], about["lists"]) == ("ivf", ITEMS, DIM, 219)
    assert 1 < about["searched_lists"] < 219, "as few lists as do, and not one or all of them"
    assert about["queries"] == "vectors of 2000 random items"
    # Other queries than those that it chose by.
    queries = vectors[::10] + 0.05 * np.random.default_rng(4).normal(size=(300, DIM)).astype(np.float32)
    ids, scores = load_index(tmp_path / "index").search(queries, K)
    assert ids.shape == scores.shape == (300, K) and scores.dtype == np.float32
    assert ids.dtype == (np.int64 if kind == "int" else object)
    rows = {item_id(kind, number): number for number in range(ITEMS)}
    real = np.isfinite(scores)
    assert real.mean() > 0.95, "few lists may hold fewer items"
    found = np.array([[rows.get(one, -1) for one in line] for line in ids.tolist()])
    assert ((found >= 0) == real).all()
    # The scores are the products with those items, the best first.
    products = np.einsum("qd,qkd->qk", queries, vectors[found])
    np.testing.assert_allclose(scores[real], products[real], rtol=1e-4, atol=1e-5)
    assert (scores[:, 1:] <= scores[:, :-1]).all()
    shares = [len(set(one) & set(other)) / K for one, other in zip(found, exact(queries, vectors), strict=True)]
    assert np.mean(shares) == pytest.approx(about["recall@100"], abs=0.05)
    assert np.mean(shares) > 0.85


def test_all_that_is_wanted_is_exact(
    version: Path, vectors: np.ndarray, lists: None, tmp_path: Path, kind: str
) -> None:
    about = build_index(version, tmp_path / "index", recall=1.0)
    assert about["recall@100"] > 0.999
    ids, _ = load_index(tmp_path / "index").search(vectors[:50], 1)
    best = exact(vectors[:50], vectors)[:, 0]
    assert ids[:, 0].tolist() == [item_id(kind, number) for number in best.tolist()]


def test_the_same_bytes_from_any_number_of_threads(version: Path, lists: None, tmp_path: Path) -> None:
    threads = faiss.omp_get_max_threads()
    try:
        for count in (1, 3):
            faiss.omp_set_num_threads(count)
            build_index(version, tmp_path / str(count))
    finally:
        faiss.omp_set_num_threads(threads)
    for name in (INDEX, IDS, NOTES):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "3" / name).read_bytes(), name


def test_a_small_catalogue_is_compared_as_a_whole(few: Path, tmp_path: Path) -> None:
    """[2, 1] by hand: 30 scores 2, 10 scores 1, 20 scores 4; there is no fourth item."""
    about = build_index(few, tmp_path / "index")
    assert (about["kind"], about["lists"], about["recall@100"]) == ("flat", 0, 1.0)
    assert json.loads((tmp_path / "index" / NOTES).read_text()) == about
    assert (about["model"], about["exported_at"]) == (str(few.resolve()), 1)
    ids, scores = load_index(tmp_path / "index").search(np.array([[2.0, 1.0]], np.float32), 4)
    assert ids.tolist() == [[20, 30, 10, -1]] and scores.tolist() == [[4.0, 2.0, 1.0, -np.inf]]


def test_places_without_an_item_in_texts(tmp_path: Path) -> None:
    version = write_retrieval(tmp_path, 1, [{"item": b"a"}, {"item": b"b"}], FEW[:2], "bytes")
    build_index(version, tmp_path / "index")
    ids, _ = load_index(tmp_path / "index").search(np.array([[0.0, 1.0]], np.float32), 3)
    assert ids.tolist() == [[b"b", b"a", b""]]


def test_users_of_a_file_ask(version: Path, lists: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    requests, out = tmp_path / "users.jsonl", tmp_path / "index"
    requests.write_text("".join(json.dumps({"age": age, "exclude": []}) + "\n" for age in range(1, 41)))
    assert query_vectors(version, requests)[:, 0].tolist() == list(range(1, 41))
    code, said, _ = run(capsys, str(version), "--out", str(out), "--queries", str(requests))
    assert not code and "(queries: vectors of 40 users)" in said
    requests.write_text('{"age": 3}\n{"height": 1}\n')
    code, _, err = run(capsys, str(version), "--out", str(out), "--queries", str(requests))
    assert code == 1 and "users.jsonl: line 2: unknown column 'height'" in err
    requests.write_text('{"age": 3}\n')
    with pytest.raises(InputError, match="at least 2 lines.*found 1"):
        query_vectors(version, requests)


def test_random_items_ask_with_one_for_the_prior(lists: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An item's last place is its prior, a user's is 1: with -100 in it an item would look for unpopular ones."""
    random = np.random.default_rng(5)
    table = np.concatenate([random.normal(size=(600, 3)), np.full((600, 1), -100.0)], axis=1)
    version = write_retrieval(tmp_path, 1, [{"item": number} for number in range(600)], table.tolist(), prior=True)
    asked: list[np.ndarray] = []
    tuned = approximate_build._tuned

    def spied(index: Any, queries: np.ndarray, *more: Any) -> Any:
        asked.append(queries.copy())
        return tuned(index, queries, *more)

    monkeypatch.setattr(approximate_build, "_tuned", spied)
    build_index(version, tmp_path / "index")
    assert set(asked[0][:, -1].tolist()) == {1.0}
    assert len(asked[0]) == 600 and np.isin(asked[0][:, 0], table[:, 0].astype(np.float32)).all()


def test_an_index_of_before_is_replaced_and_nothing_else(few: Path, tmp_path: Path) -> None:
    out = tmp_path / "index"
    build_index(few, out)
    (out / "left").touch()
    build_index(few, out)
    assert sorted(path.name for path in out.iterdir()) == [IDS, NOTES, INDEX]
    assert [path.name for path in tmp_path.iterdir()] == ["index"], "no temporary folder stays"
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis.txt").touch()
    with pytest.raises(InputError, match="home: contains something other than an index"):
        build_index(few, tmp_path / "home")
    with pytest.raises(InputError, match=r"thesis\.txt: expected a folder to write to, found a file"):
        build_index(few, tmp_path / "home" / "thesis.txt")
    with pytest.raises(InputError, match=r"cannot be written \(Not a directory\)"):
        build_index(few, tmp_path / "home" / "thesis.txt" / "index")


def test_damaged(few: Path, tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    build_index(few, whole)

    def refused(words: str, name: str, damage: bytes | None) -> None:
        broken = tmp_path / "broken"
        shutil.rmtree(broken, ignore_errors=True)
        shutil.copytree(whole, broken)
        if damage is None:
            (broken / name).unlink()
        else:
            (broken / name).write_bytes(damage)
        with pytest.raises(InputError, match=f"broken: {words}.*Rebuild it with `gatewise index`"):
            load_index(broken)

    refused(r"expected an index, found no index\.json", NOTES, None)
    refused(r"expected an index, found no ids\.arrow", IDS, None)
    refused("the index is damaged", INDEX, None)
    refused("the index is damaged", NOTES, b"{")
    refused("the index is damaged", NOTES, b"[]")
    refused("the index is damaged", NOTES, b"{}")
    refused("the index is damaged", IDS, (whole / IDS).read_bytes()[:100])
    refused("the index is damaged", INDEX, (whole / INDEX).read_bytes()[:-4])
    refused("the index is damaged", INDEX, b"")
    notes = json.loads((whole / NOTES).read_text())
    refused("the index is damaged: its files have different", NOTES, json.dumps({**notes, "items": 4}).encode())
    assert load_index(whole).notes["items"] == 3


def test_of_another_model(few: Path, tmp_path: Path) -> None:
    build_index(few, tmp_path / "index")
    load_index(tmp_path / "index", 1)
    with pytest.raises(
        InputError, match="the index belongs to .*/1, but the queries are from another version of the model. Rebuild it"
    ):
        load_index(tmp_path / "index", 2)
    with pytest.raises(InputError, match=r"vectors of dimension 2, received an array of shape \(1, 3\)"):
        load_index(tmp_path / "index").search(np.zeros((1, 3), np.float32), 1)


def test_no_retrieval_model(few: Path, tmp_path: Path) -> None:
    version = tmp_path / "1"
    (version / "assets.extra").mkdir(parents=True)
    notes = json.loads((few / "assets.extra" / "inputs.json").read_text())
    (version / "assets.extra" / "inputs.json").write_text(json.dumps({"inputs": {}, "tasks": {}}))
    with pytest.raises(InputError, match="expected a retrieval model, found a ranker"):
        build_index(version, tmp_path / "index")
    (version / "assets.extra" / "inputs.json").write_text(json.dumps(notes))
    with pytest.raises(
        InputError, match=r"items\.parquet: expected the item table of a retrieval model; it cannot be read"
    ):
        build_index(version, tmp_path / "index")
    (version / "assets.extra" / "inputs.json").write_text(
        json.dumps({**notes, "item": {"column": "sku", "type": "int"}})
    )
    shutil.copy(few / "assets.extra" / "items.parquet", version / "assets.extra")
    with pytest.raises(InputError, match="columns 'sku' and 'gatewise/vector'.*found 3 rows of item, tags"):
        build_index(version, tmp_path / "index")


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[Any, str, str]:
    with pytest.raises(SystemExit) as end:
        main(["index", *arguments])
    out, err = capsys.readouterr()
    return end.value.code, out, err


def test_the_command(few: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # The folder of versions: the newest is taken.
    code, out, _ = run(capsys, str(few.parent), "--out", str(tmp_path / "index"))
    assert not code
    assert out == f"{tmp_path}/index: 3 items, exact search; recall@100 1.000 (queries: vectors of 3 random items)\n"
    assert load_index(tmp_path / "index").notes["model"] == str(few.resolve())


def test_the_command_says_how_much_is_searched(
    version: Path, lists: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = run(capsys, str(version), "--out", str(tmp_path / "index"), "--recall", "0.5")
    assert not code and " 3,000 items, " in out and " of 219 lists searched; recall@100 0." in out


def test_without_faiss(
    few: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "faiss", None)
    code, out, err = run(capsys, str(few), "--out", str(tmp_path / "index"))
    assert (code, out) == (1, "") and "needs faiss, which is not installed: pip install 'gatewise[ann]'" in err
    with pytest.raises(InputError, match=r"gatewise\[ann\]"):
        load_index(tmp_path / "index")


def test_recommend_takes_it(few: Path, tmp_path: Path) -> None:
    """Age 2 and one item in the history: [2, 1], and the best of the two that are not excluded."""
    from models.retrieval.inference import load_retrieval
    from pipeline.recommending.candidates import candidates

    build_index(few, tmp_path / "index")
    user = {"age": 2, "history": [10], "exclude": [20]}
    ids, scores = candidates(load_retrieval(few), user, None, tmp_path / "index", "--user")
    assert ids == [30, 10] and scores.tolist() == [2.0, 1.0]
