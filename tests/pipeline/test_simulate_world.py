"""The shop day by day: what births, drift and rhythm change, by how much, and what they leave as it is."""

from __future__ import annotations

import datetime

import numpy as np
import pytest

from pipeline.simulate_shop import DAY_MS, HOURLY, START, Array, random
from pipeline.simulate_truth import CART_RATE, CLICK_RATE, ORDER_RATE
from pipeline.simulate_world import HOUR_LOGITS, WEEKDAY_LOGITS, DailyShop, Dials, ShopOfDay, Walk

MONDAY = datetime.date(2026, 1, 5)


def days(count: int, per_day: int = 1_000, first_day: datetime.date = START, **dials: float) -> list[ShopOfDay]:
    return list(DailyShop(per_day, 7, first_day, dials=Dials(**dials)).days(count))


def logit(chance: Array) -> Array:
    return np.log(chance / (1.0 - chance))


def test_with_the_dials_at_0_all_days_are_alike() -> None:
    shop = days(8)
    shown = shop[0].logged
    assert [len(day.logged) for day in shop] == [1_000] * 8
    for day in shop[1:]:
        for name, values in day.truth_of(shown).columns().items():
            assert (values == shop[0].truth_of(shown).columns()[name]).all(), name
        assert (day.on_sale() == np.arange(233)).all()
    hour = np.concatenate([day.logged.codes["hour"] for day in shop])
    assert abs(np.bincount(hour, minlength=24) - 8_000 / 24).max() < 5 * np.sqrt(8_000 / 24)
    chances = [day.truth for day in shop]
    click = np.concatenate([found.click for found in chances])
    order, cart = (
        np.concatenate([getattr(found, name) for found in chances])
        for name in ("order_given_click", "cart_given_click")
    )
    assert click.mean() == pytest.approx(CLICK_RATE, abs=0.01)
    assert np.average(order, weights=click) == pytest.approx(ORDER_RATE, abs=0.015)
    assert np.average(cart, weights=click) == pytest.approx(CART_RATE, abs=0.025)


def test_every_day_draws_its_own_impressions_at_its_own_time() -> None:
    shop = DailyShop(500, 7, MONDAY)
    drawn = list(shop.days(3))
    for number, day in enumerate(drawn):
        assert (day.number, day.start) == (number, shop.start + number * DAY_MS)
        assert ((day.logged.time - day.start) // DAY_MS == 0).all() and (np.diff(day.logged.time) >= 0).all()
    assert (drawn[0].logged.time - drawn[0].start).tolist() != (drawn[1].logged.time - drawn[1].start).tolist()
    assert shop.start == int(datetime.datetime(2026, 1, 5, tzinfo=datetime.UTC).timestamp()) * 1_000


def test_births_replace_their_share_of_the_items_and_numbers_of_the_dead_never_return() -> None:
    """233 items, 0.0125 of them a day: 2.9125, so after d days round(2.9125 d) were born."""
    shop = days(12, births=0.0125)
    before = set(range(233))
    for number, day in enumerate(shop):
        living = set(day.on_sale().tolist())
        born, known = living - before, round(2.9125 * number)
        assert len(living) == 233 and set(day.logged.item.tolist()) <= living
        assert born == set(range(233 + known - len(born), 233 + known)), "all numbers are new"
        assert len(before - living) == len(born) == known - round(2.9125 * max(number - 1, 0))
        before = living
    first, last = shop[0].logged.population, shop[-1].logged.population
    assert len(last.item_tags) == 233 + 32
    for name, values in first.items.items():
        np.testing.assert_array_equal(last.items[name][:233], values)
    assert (last.item_tags[:233] == first.item_tags).all()
    assert (last.users["segment"] == first.users["segment"]).all()


def test_new_items_have_the_popularity_and_the_kinds_of_the_dead() -> None:
    """All items are replaced every day: the traffic by rank and the prices by category stay as they are."""
    old, new = days(2, per_day=20_000, births=1.0)
    assert new.logged.item.min() == 4_000 == len(old.on_sale())
    shares = [np.sort(np.bincount(day.logged.item))[::-1][:400].sum() / 20_000 for day in (old, new)]
    assert shares[0] > 0.4 and shares[1] == pytest.approx(shares[0], abs=0.02)
    items = new.logged.population.items
    prices = [
        [np.log(items["price"][part][items["category"][part] == kind]).mean() for kind in range(12)]
        for part in (slice(4_000), slice(4_000, None))
    ]
    assert np.corrcoef(prices[0], prices[1])[0, 1] > 0.95
    same = new.truth_of(old.logged)
    assert (same.click == old.truth_of(old.logged).click).all(), "the truth of the dead does not change"


def test_a_walk_is_the_recursion_over_its_days() -> None:
    drift = 0.3
    expected = random(5, 2).normal(size=(4, 3))
    for later in range(1, 7):
        assert (Walk(5, 2, later - 1, drift).normal(size=(4, 3)) == expected).all()
        expected = np.sqrt(1 - drift**2) * expected + drift * np.random.default_rng([5, 2, later]).normal(size=(4, 3))
    assert (Walk(5, 2, 6, 0.0).normal(size=9) == random(5, 2).normal(size=9)).all()
    long, short = Walk(5, 2, 6, drift).normal(size=900), Walk(5, 2, 6, drift).normal(size=30)
    assert (long[:30] == short).all()


def test_a_walk_forgets_at_the_rate_of_its_drift_and_keeps_its_variance() -> None:
    first, tenth = (Walk(5, 2, day, 0.3).normal(size=20_000) for day in (0, 10))
    assert tenth.std() == pytest.approx(1.0, abs=0.03)
    assert np.corrcoef(first, tenth)[0, 1] == pytest.approx((1 - 0.3**2) ** 5, abs=0.03)
    fresh = Walk(5, 2, 1, 1.0).normal(size=20_000)
    assert np.corrcoef(first, fresh)[0, 1] == pytest.approx(0.0, abs=0.03)


def test_drift_moves_the_truth_a_little_more_every_day() -> None:
    shop = days(11, drift=0.2)
    shown = shop[0].logged
    first = shop[0].truth_of(shown)
    alike = [
        [
            np.corrcoef(logit(getattr(first, name)), logit(getattr(shop[day].truth_of(shown), name)))[0, 1]
            for day in (0, 1, 4, 10)
        ]
        for name in ("click", "cart_given_click", "order_given_click")
    ]
    for found in alike:
        assert found[0] == pytest.approx(1.0, abs=1e-12) and 0.9 < found[1] < 0.999
        assert found[1] > found[2] > found[3]
    still = days(1)[0].truth_of(shown)
    assert (still.click == first.click).all(), "the first day is that of a shop without drift"


def test_rhythm_is_in_the_number_of_impressions_of_a_day_and_of_an_hour() -> None:
    """5 days of 1 and 2 of 1.25 have the mean 15 / 14: 14,000 impressions give 13,067 and 16,333."""
    shop = days(7, per_day=14_000, first_day=MONDAY, rhythm=1.0)
    assert [len(day.logged) for day in shop] == [13_067] * 5 + [16_333] * 2
    half = days(7, per_day=1_400, first_day=MONDAY, rhythm=0.5)
    assert [len(day.logged) for day in half] == [1_353] * 5 + [1_517] * 2
    hour = np.concatenate([day.logged.codes["hour"] for day in shop])
    expected = HOURLY / HOURLY.sum() * len(hour)
    assert (abs(np.bincount(hour, minlength=24) - expected) < 5 * np.sqrt(expected)).all()


def test_rhythm_is_in_the_logits_of_clicks_and_orders() -> None:
    even = days(1, first_day=MONDAY)[0]
    for number, day in enumerate(days(7, first_day=MONDAY, rhythm=0.5)):
        shown = day.logged
        without, found = even.truth_of(shown), day.truth_of(shown)
        expected = 0.5 * (WEEKDAY_LOGITS[number] + HOUR_LOGITS[shown.codes["hour"]])
        for name in ("click", "order_given_click"):
            moved = logit(getattr(found, name)) - logit(getattr(without, name))
            np.testing.assert_allclose(moved, expected, atol=1e-9)
    assert WEEKDAY_LOGITS.sum() == pytest.approx(0.0) and HOUR_LOGITS.sum() == pytest.approx(0.0)


def test_the_interest_is_drawn_anew_every_day() -> None:
    shop = list(DailyShop(2_000, 7, hidden=1.0).days(2))
    moved = [logit(day.truth.click) - logit(day.truth_of(day.logged).click) for day in shop]
    assert abs(np.corrcoef(moved[0], moved[1])[0, 1]) < 0.1
    assert all(values.std() == pytest.approx(0.75, abs=0.05) for values in moved)
