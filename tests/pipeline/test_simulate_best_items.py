from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from models.recipe.file import load_recipe
from pipeline import simulate_best_items
from pipeline.simulate import simulate
from pipeline.simulate_affinity import Shop, Visits, true_score
from pipeline.simulate_best_items import best_items

SIZES = {"impressions": 3_000, "seed": 5, "days": 6}
SCORE = true_score(load_recipe(Path(__file__).parents[2] / "recipes" / "shop.yaml"))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return simulate(tmp_path_factory.mktemp("shop") / "logs", score=SCORE, **SIZES).out


def test_each_user_has_the_best_items_first_by_the_value_of_each_pair(written: Path) -> None:
    shop = Shop(**SIZES)
    rows = pl.read_parquet(written / "best_items" / "*.parquet")
    users = np.unique(shop.logged.user)
    assert rows.columns == ["user_id", "item_id", "value"]
    assert rows["user_id"].n_unique() == len(users) < simulate_best_items.USERS, "few users: all"
    names = rows.group_by("user_id").agg(pl.len(), pl.col("item_id").n_unique().alias("items"))
    assert names["len"].unique().to_list() == names["items"].unique().to_list() == [200], "few items: all"
    one = rows.filter(pl.col("user_id") == f"u{users[3]}")
    assert one["value"].is_sorted(descending=True)
    visit = shop.last_visits(users[3:4])
    for place in (0, 99, 199):
        item = int(one["item_id"][place].removeprefix("i"))
        assert one["value"][place] == pytest.approx(shop.values(visit, np.array([item]), SCORE)[0, 0], rel=1e-12)


def test_a_sample_of_the_users_and_the_head_of_their_items(monkeypatch: pytest.MonkeyPatch) -> None:
    shop = Shop(**SIZES)
    everything = best_items(shop, SCORE, seed=5)
    monkeypatch.setattr(simulate_best_items, "USERS", 7)
    monkeypatch.setattr(simulate_best_items, "ITEMS", 3)
    users, items, values = best_items(shop, SCORE, seed=5)
    assert (np.diff(users) >= 0).all() and len(np.unique(users)) == 7 and len(users) == len(items) == len(values) == 21
    for user in np.unique(users):
        whole = everything[0] == user
        assert items[users == user].tolist() == everything[1][whole][:3].tolist()
    assert np.unique(best_items(shop, SCORE, seed=6)[0]).tolist() != np.unique(users).tolist()


def test_the_other_files_do_not_depend_on_it(written: Path, tmp_path: Path) -> None:
    without = simulate(tmp_path / "logs", **SIZES).out
    files = {path.relative_to(without): path.read_bytes() for path in without.rglob("*") if path.is_file()}
    mine = {path.relative_to(written): path.read_bytes() for path in written.rglob("*") if path.is_file()}
    assert {path for path in mine if path.parts[0] != "best_items"} == set(files)
    assert all(mine[path] == content for path, content in files.items())


def test_the_visits_are_the_last_ones() -> None:
    """With another device a user has other values: the file says where the user was last."""
    shop = Shop(**SIZES)
    user = np.unique(shop.logged.user)[:1]
    visit = shop.last_visits(user)
    elsewhere = Visits(user=user, device=(visit.device + 1) % 4, time=visit.time)
    users, items, values = best_items(shop, SCORE, seed=5)
    mine = users == user[0]
    np.testing.assert_allclose(values[mine], shop.values(visit, items[mine], SCORE)[0])
    assert not np.allclose(values[mine], shop.values(elsewhere, items[mine], SCORE)[0])
