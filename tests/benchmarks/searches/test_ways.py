from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.searches import catalogue, served, times
from benchmarks.searches.ways import MODEL, WAYS
from pipeline import approximate_build

ITEMS, DIM, K = 3_000, 8, 20


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("catalogue")
    catalogue.run({"folder": str(folder), "rows": ITEMS, "dim": DIM, "seed": 2, "queries": 40})
    return folder


def best(folder: Path, queries: np.ndarray) -> np.ndarray:
    """The slow way: (query, K) ids."""
    scores = queries @ catalogue.read_vectors(folder).T
    return catalogue.read_ids(folder)[np.argsort(-scores, axis=1, kind="stable")[:, :K]]


def test_a_catalogue_is_made_once_and_of_its_seed(folder: Path, tmp_path: Path) -> None:
    question = {"rows": ITEMS, "dim": DIM, "seed": 2, "queries": 40}
    assert catalogue.run({**question, "folder": str(folder)}) == {"rows": ITEMS, "seconds": 0.0}
    catalogue.run({**question, "folder": str(tmp_path / "same")})
    catalogue.run({**question, "folder": str(tmp_path / "other"), "seed": 3})
    vectors = catalogue.read_vectors(folder)
    assert vectors.shape == (ITEMS, DIM) and vectors.dtype == np.float32
    np.testing.assert_array_equal(vectors, catalogue.read_vectors(tmp_path / "same"))
    assert not np.array_equal(vectors, catalogue.read_vectors(tmp_path / "other"))
    assert catalogue.read_ids(folder)[:3].tolist() == [7, 17, 27]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("way", [way for way in WAYS if way != "approximate"])
def test_exact_ways_find_the_best(way: str, folder: Path, tmp_path: Path) -> None:
    if way == "served":
        question = {"folder": str(folder), "k": K, "model": str(folder / MODEL), "out": str(tmp_path)}
        assert served.run(question)["rows"] == ITEMS
    queries = np.load(folder / catalogue.QUERIES)
    search, about = WAYS[way](folder, K, tmp_path)()
    assert about == {}
    np.testing.assert_array_equal(search(queries), best(folder, queries))
    np.testing.assert_array_equal(search(queries[:1]), best(folder, queries[:1]))


def test_the_approximate_way_finds_most(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(approximate_build, "EXACT_UP_TO", 100)
    queries = np.load(folder / catalogue.QUERIES)[20:]
    search, about = WAYS["approximate"](folder, K, tmp_path)()
    assert about["kind"] == "ivf" and about["queries"] == "vectors of 20 users"
    found = search(queries)
    assert found.shape == (20, K)
    assert np.mean([np.isin(one, other).mean() for one, other in zip(found, best(folder, queries), strict=True)]) > 0.8


def test_times(folder: Path, tmp_path: Path) -> None:
    question = {"folder": str(folder), "way": "numpy", "k": K, "singles": 30, "batches": 2, "batch": 16}
    found = json.loads(json.dumps(times.run({**question, "out": str(tmp_path)})))
    assert (found["rows"], len(found["singles"]), len(found["batches"])) == (30, 30, 2)
    assert found["seconds"] == pytest.approx(sum(found["singles"])) and min(found["singles"] + found["batches"]) > 0
    assert found["build_seconds"] > 0
    # The users of the second half, again from the first of them after the last.
    asked = np.load(folder / catalogue.QUERIES)[20:]
    assert found["answers"] == best(folder, asked)[np.arange(30) % 20].tolist()
