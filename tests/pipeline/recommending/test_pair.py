"""Which version of which two models answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.recipe.errors import InputError
from pipeline.recommending.pair import newest_pair


def push(root: Path, **versions: list[int]) -> Path:
    """Models, by name, with files that look like theirs."""
    for name, numbers in versions.items():
        for number in numbers:
            (root / name / str(number)).mkdir(parents=True)
            (root / name / str(number) / "saved_model.pb").touch()
    return root


@pytest.mark.parametrize("below", ["", "serving", "serving/shop", "serving/shop/9"])
def test_the_newest_version_that_both_have(below: str, tmp_path: Path) -> None:
    push(tmp_path / "serving", shop=[2, 9, 10], shop_retrieval=[1, 2, 9, 11], other=[12])
    pair = newest_pair(tmp_path / below)
    assert pair.ranker == tmp_path.resolve() / "serving" / "shop" / "9"
    assert pair.retrieval == tmp_path.resolve() / "serving" / "shop_retrieval" / "9"
    assert pair.name == "shop version 9"


def test_one_version_named(tmp_path: Path) -> None:
    push(tmp_path, shop=[2, 9], shop_retrieval=[2, 9])
    assert newest_pair(tmp_path / "shop" / "2").retrieval == tmp_path.resolve() / "shop_retrieval" / "2"


def test_a_folder_whose_name_is_no_version(tmp_path: Path) -> None:
    push(tmp_path, shop=[2], shop_retrieval=[2])
    (tmp_path / "shop" / ".3.tmp").mkdir()
    (tmp_path / "shop_retrieval" / "3").mkdir()
    assert newest_pair(tmp_path).name == "shop version 2"


@pytest.mark.parametrize(
    ("models", "below", "words"),
    [
        ({}, "", "no exported model here; expected the folder of a ranker's versions"),
        ({"shop": [1]}, "shop", r"expected a retrieval model in .*/shop_retrieval, found none.*section `retrieval`"),
        ({"shop": [1], "news": [1]}, "", r"found news, shop\. .*section `retrieval`.*docs/retrieval.md"),
        ({"shop": [1], "shop_retrieval": [1]}, "shop_retrieval", r"pass the ranker's folder, .*/shop\."),
        (
            {"shop": [3, 5], "shop_retrieval": [4]},
            "",
            "expected a version that both models have, found 3, 5 in shop and 4 in shop_retrieval",
        ),
        (
            {"shop": [3, 5], "shop_retrieval": [5]},
            "shop/3",
            "expected version 3 of both models, found 3, 5 in shop and 5",
        ),
        (
            {"a": [1], "a_retrieval": [1], "b": [1], "b_retrieval": [1]},
            "",
            r"2 rankers here have a retrieval model; choose one of them: .*/a, .*/b\.",
        ),
    ],
)
def test_what_is_missing_is_said(models: dict[str, list[int]], below: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=words):
        newest_pair(push(tmp_path, **models) / below)
