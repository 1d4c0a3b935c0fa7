"""The truth over the entire space: what the simulator's own draws approach, and equal to the logs' without the hidden dial."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from pipeline.simulate import simulate
from pipeline.simulate_affinity import Shop
from pipeline.simulate_entire_space import EntireSpace, entire_space
from pipeline.simulate_events import outcomes
from pipeline.simulate_shop import Array
from pipeline.simulate_truth import CLICK_RATE, INTEREST, ORDER_RATE

IMPRESSIONS = 60_000


@pytest.fixture(scope="module")
def shop() -> Shop:
    return Shop(IMPRESSIONS, seed=3, hidden=1.0)


@pytest.fixture(scope="module")
def space(shop: Shop) -> EntireSpace:
    return entire_space(shop)


def agree(labels: Array, chances: Array) -> None:
    """In all and in each tenth by the true probability, the labels lie within 4.5 standard errors of it (a fixed seed)."""
    for tenth in (slice(None), *np.array_split(np.argsort(chances), 10)):
        p = chances[tenth]
        assert abs(labels[tenth].sum() - p.sum()) < 4.5 * np.sqrt((p * (1.0 - p)).sum())


def test_the_draws_agree_with_the_truth(shop: Shop, space: EntireSpace) -> None:
    """Orders with a click forced on every impression, and the clicks and orders that the logs have."""
    forced = np.random.default_rng(1).random(IMPRESSIONS) < shop.truth.order_given_click
    agree(forced, space.order)
    events = outcomes(shop.logged, shop.truth, seed=3)
    clicked, ordered = (np.isin(np.arange(IMPRESSIONS), events[name]["impression"]) for name in ("clicks", "orders"))
    agree(clicked, space.click)
    agree(ordered[clicked], space.order_given_click[clicked])
    # The check has power: each fails with the truth of the other.
    with pytest.raises(AssertionError):
        agree(ordered[clicked], space.order[clicked])
    with pytest.raises(AssertionError):
        agree(forced, space.order_given_click)


@pytest.mark.parametrize("conflict", [0.0, 0.5, 1.0])
def test_at_dial_0_a_click_tells_nothing_that_the_columns_do_not(conflict: float) -> None:
    found = entire_space(Shop(2_000, seed=5, conflict=conflict))
    np.testing.assert_array_equal(found.order_given_click, found.order)


def test_a_clicked_impression_has_more_orders_the_higher_the_dial() -> None:
    means = []
    for hidden in (0.0, 0.3, 1.0):
        found = entire_space(Shop(5_000, seed=5, hidden=hidden))
        means.append(found.order_given_click.mean() / found.order.mean())
        assert (found.order_given_click >= found.order).all()
    assert means[0] == 1.0 < means[1] < 1.1 and 1.3 < means[2] < 1.6


def test_without_conflict_or_agreement_clicks_hardly_select() -> None:
    def selected(conflict: float) -> float:
        found = entire_space(Shop(8_000, seed=5, conflict=conflict))
        return float(np.average(found.order, weights=found.click) / found.order.mean())

    assert selected(0.0) > 1.8 and abs(selected(0.5) - 1.0) < 0.15 and selected(1.0) < 0.6


def test_the_integral_over_the_interest_of_two_impressions(shop: Shop, space: EntireSpace) -> None:
    """By a fine sum over the density of N(0, 1)."""
    points = np.linspace(-8.0, 8.0, 2_001)
    density = np.exp(-(points**2) / 2.0) / np.exp(-(points**2) / 2.0).sum()
    two = np.array([17, 4_711])
    logged = shop.logged
    few = logged.population.impressions(
        logged.time[two], logged.user[two], logged.item[two], logged.codes["device"][two], logged.codes["position"][two]
    )
    at = [shop.truth_of(few, INTEREST * point) for point in points]
    click, order = (density @ np.stack([getattr(one, name) for one in at]) for name in ("click", "order_given_click"))
    both = density @ np.stack([one.click * one.order_given_click for one in at])
    for found, expected in ((space.click, click), (space.order, order), (space.order_given_click, both / click)):
        np.testing.assert_allclose(found[two], expected, rtol=1e-6)


def test_the_dial_changes_outcomes_alone(tmp_path: Path) -> None:
    """The rates stay: only which impressions are clicked and ordered."""
    for name, hidden in (("without", 0.0), ("with", 1.0)):
        simulate(tmp_path / name, 8_000, seed=5, dirt=0.0, hidden=hidden)

    def read(name: str, stream: str) -> pl.DataFrame:
        return pl.read_parquet(tmp_path / name / stream / "*.parquet")

    assert read("without", "impressions").equals(read("with", "impressions"))
    assert not read("without", "clicks").equals(read("with", "clicks"))
    written = read("with", "truth")
    assert written["p_click"].mean() == pytest.approx(CLICK_RATE, abs=1e-3)
    mean = (written["p_click"] * written["p_order_given_click"]).sum() / written["p_click"].sum()
    assert mean == pytest.approx(ORDER_RATE, abs=1e-3)
