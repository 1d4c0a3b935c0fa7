"""Which folder names are versions: the same for everything that looks into a folder of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.baselines.executor import newest_before
from models.files.version_folders import mistaken_folders, model_folders, version_folders, version_number
from pipeline.predict import newest_version
from pipeline.recommending.pair import newest_pair

NAMES = {
    "1": 1,
    "10": 10,
    "1700000000": 1_700_000_000,
    "9223372036854775807": 2**63 - 1,
    "9223372036854775808": None,
    "99999999999999999999": None,
    "9" * 5000: None,
    "0": None,
    "007": None,
    "-1": None,
    "+1": None,
    "1.0": None,
    "1_000": None,
    " 1": None,
    "1\n": None,
    "": None,
    "\u0663": None,  # a digit of another script
    "\u00b2": None,
    ".1.tmp": None,
    ".push.lock": None,
    "latest": None,
}


@pytest.mark.parametrize("name", NAMES)
def test_a_name(name: str) -> None:
    assert version_number(name) == NAMES[name]


def test_all_that_look_into_a_folder_see_the_same(tmp_path: Path) -> None:
    folders = [tmp_path / "shop", tmp_path / "shop_retrieval"]
    for folder in folders:
        for name in NAMES:
            if name and len(name) < 200:
                (folder / name).mkdir(parents=True)
                (folder / name / "saved_model.pb").touch()
        (folder / "9000000000000000000").mkdir()  # without a model
        (folder / "12").touch()  # no folder
    shop = folders[0]
    expected = [1, 10, 1_700_000_000, 2**63 - 1]
    assert list(version_folders(shop)) == expected
    assert newest_version(shop) == newest_before(shop, 2**70) == shop / str(2**63 - 1)
    assert newest_before(shop, 11) == shop / "10" and newest_before(shop, 1) is None
    assert newest_pair(shop).ranker == shop / str(2**63 - 1)
    assert model_folders(tmp_path) == folders
    mistaken = {"0", "007", "9223372036854775808", "99999999999999999999", "\u0663", "\u00b2"}
    assert {path.name for path in mistaken_folders(shop)} == mistaken
    assert version_folders(tmp_path / "none") == {} and mistaken_folders(tmp_path / "none") == []
