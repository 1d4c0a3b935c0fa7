"""The true values of all items for all users: the same function that the logs were written by, with their constants."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from models.recipe.errors import InputError
from models.recipe.file import load_recipe
from pipeline.simulate import simulate
from pipeline.simulate_affinity import Shop, Visits, true_score
from pipeline.simulate_truth import Truth

RECIPE = Path(__file__).parents[2] / "recipes" / "shop.yaml"
SIZES = {"impressions": 3_000, "seed": 5, "days": 6}


@pytest.fixture(scope="module")
def shop() -> Shop:
    return Shop(**SIZES, conflict=0.3)


@pytest.mark.parametrize("conflict", [0.0, 0.5, 1.0])
def test_of_logged_impressions_it_is_what_was_written(tmp_path: Path, conflict: float) -> None:
    """Piece by piece, in another order, and built from user, item and context alone."""
    simulate(tmp_path / "logs", conflict=conflict, **SIZES)
    written = pl.read_parquet(tmp_path / "logs" / "truth" / "*.parquet")
    number = written["impression_id"].str.strip_prefix("imp").cast(pl.Int64).to_numpy()
    shop, found = Shop(conflict=conflict, **SIZES), {}
    logged = shop.logged
    for part in np.array_split(np.random.default_rng(1).permutation(len(logged)), 7):
        again = logged.population.impressions(
            logged.time[part],
            logged.user[part],
            logged.item[part],
            logged.codes["device"][part],
            logged.codes["position"][part],
        )
        for name, values in shop.truth_of(again).columns().items():
            found.setdefault(name, np.full(len(logged), np.nan))[part] = values
    assert list(found) == written.columns[1:]
    for name, values in found.items():
        np.testing.assert_allclose(values[number], written[name].to_numpy(), rtol=0, atol=1e-12)


def test_the_value_of_one_impression_by_hand() -> None:
    """0.1 (1 + 0.3 + 0.2 * 0.05 * 40) = 0.17, with cart and order given the click."""
    one = Truth(
        click=np.array([0.1]),
        cart_given_click=np.array([0.3]),
        order_given_click=np.array([0.05]),
        order_value=np.array([40.0]),
    )
    np.testing.assert_allclose(true_score(load_recipe(RECIPE))(one), [0.17], rtol=1e-15)
    by_clicks = load_recipe(RECIPE, ["serving.score=click ^ 2", "serving.weights={}", "serving.tunable_weights=false"])
    np.testing.assert_allclose(true_score(by_clicks)(one), [0.01], rtol=1e-15)


def test_a_score_without_its_truth_is_refused() -> None:
    without = load_recipe(RECIPE, ["evaluation.truth.columns={click: p_click, order: p_order_given_click}"])
    with pytest.raises(InputError, match=re.escape("missing: cart, order_value.")):
        true_score(without)
    unscored = load_recipe(RECIPE, ["serving={}"])
    with pytest.raises(InputError, match=r"serving\.score: missing in the recipe"):
        true_score(unscored)


def test_values_are_those_of_each_pair_alone(shop: Shop) -> None:
    score, items = true_score(load_recipe(RECIPE)), np.array([7, 0, 199])
    visits = shop.last_visits(shop.logged.user[:5])
    values = shop.values(visits, items, score)
    assert values.shape == (5, 3)
    for row in range(5):
        one = Visits(
            user=visits.user[row : row + 1], device=visits.device[row : row + 1], time=visits.time[row : row + 1]
        )
        for column in range(3):
            alone = score(shop.truth_of(shop.page(one, items[column : column + 1])))
            assert values[row, column] == pytest.approx(alone[0], rel=1e-12)
    np.testing.assert_allclose(shop.values(visits, items, score, cells=1), values, rtol=1e-12)
    assert len(np.unique(values)) == 15


def test_the_context_counts_and_the_day_does_not(shop: Shop) -> None:
    score, items = true_score(load_recipe(RECIPE)), np.arange(200)
    visits = shop.last_visits(shop.logged.user[:3])
    values = shop.values(visits, items, score)
    elsewhere = dataclasses.replace(visits, device=(visits.device + 1) % 4)
    assert not np.isclose(shop.values(elsewhere, items, score), values).any()
    tomorrow = dataclasses.replace(visits, time=visits.time + 24 * 3_600_000)
    np.testing.assert_array_equal(shop.values(tomorrow, items, score), values)


def test_a_visit_is_where_the_user_was_last(shop: Shop) -> None:
    """Against a loop over all impressions, and in the first position."""
    users = np.unique(shop.logged.user)[::3]
    visits = shop.last_visits(users)
    last = {user: number for number, user in enumerate(shop.logged.user.tolist())}
    assert visits.time.tolist() == [shop.logged.time[last[user]] for user in users.tolist()]
    assert visits.device.tolist() == [shop.logged.codes["device"][last[user]] for user in users.tolist()]
    page = shop.page(visits, np.array([4, 2]))
    assert page.item.tolist() == [4, 2] * len(users) and page.user.tolist() == np.repeat(users, 2).tolist()
    assert set(page.codes["position"].tolist()) == {1}


def test_clicks_are_the_logged_ones(tmp_path: Path) -> None:
    simulate(tmp_path / "logs", dirt=0.0, **SIZES)
    written = pl.read_parquet(tmp_path / "logs" / "clicks" / "*.parquet")
    shop = Shop(**SIZES)
    clicks = shop.clicks()
    assert len(clicks) == written.height > 100 and (np.diff(clicks) > 0).all()
    pairs = {(f"u{shop.logged.user[click]}", f"i{shop.logged.item[click]}") for click in clicks}
    assert pairs == set(written.select("user_id", "item_id").iter_rows())
