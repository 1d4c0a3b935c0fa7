"""The simulated shop day by day: the catalogue, the traffic and the true probabilities of each day.

A day depends on the seed, the dials and the days before it, and not on how many days follow. With the dials at 0, all days are
alike: the same catalogue, the same tastes, the same number of impressions, at any hour.

    births   share of the catalogue that is replaced every day. A new item takes the place of a dead one, and its popularity
    drift    w_0 = n_0,  w_d = sqrt(1 - drift^2) w_(d-1) + drift n_d      every effect w of the true probabilities on day d,
             with n_d independent N(0, 1), so that w_d is N(0, 1), too. At 1, the tastes of each day are new
    rhythm   impressions of a day, and of an hour  ~ 1 + rhythm (pattern - 1)
             logits of a click and of an order     + rhythm (pattern of the weekday + pattern of the hour)

The truth is scaled so that the rates of clicks, carts and orders are those of `simulate_truth` for the tastes, the catalogue and
the even traffic before the first day. Drift, births and rhythm move the rates away from there.
"""

from __future__ import annotations

import collections
import dataclasses
import datetime
from collections.abc import Iterator
from typing import Any

import numpy as np

from pipeline import simulate_shop as shop
from pipeline.simulate_affinity import Offers
from pipeline.simulate_shop import DAY_MS, HOUR_MS, Array, Population, Traffic, random
from pipeline.simulate_truth import Constants, Draws, Truth, interests, truth

UNSEEN_DAYS = 7
"""Days for which a user does not see an item again. Longer than the latest late outcome, so each outcome has one impression."""

WEEKDAY_LOGITS = np.array([-0.20, -0.15, -0.10, 0.0, 0.10, 0.20, 0.15])
"""Monday to Sunday, at rhythm 1."""
HOUR_LOGITS = 0.25 * np.sin((np.arange(24) - 14.0) / 24.0 * 2.0 * np.pi)
"""The hours of the day in UTC, at rhythm 1."""

_FORTNIGHT = 14
_REFERENCE = 20_000
"""Impressions that the constants of the true probabilities are computed from. They are not written."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Dials:
    """How the shop changes from day to day, from 0 (not at all) to 1. See the module."""

    births: float = 0.0
    drift: float = 0.0
    rhythm: float = 0.0


class ShopOfDay(Offers):
    """The shop on one day.

    Attributes:
        number: number of the day, from 0.
        seed: seed of what is drawn on this day only.
        start: start of the day, in milliseconds since 1970.
    """

    def __init__(self, shop: DailyShop, number: int, places: Array, logged: Traffic) -> None:
        self._shop, self._places = shop, places
        self.number = number
        self.seed = day_seed(shop.seed, number)
        self.start = shop.start + number * DAY_MS
        self.logged = logged
        self.truth = self.truth_of(logged, interests(len(logged), self.seed, shop.hidden))

    def truth_of(self, shown: Traffic, interest: Array | float = 0.0) -> Truth:
        """True probabilities on this day, at an interest; by default its mean."""
        return self._shop.truth_on(self.number, shown, interest)

    def on_sale(self) -> Array:
        """Rising numbers of the items that live on this day."""
        return np.sort(self._places)


class DailyShop:
    """A simulated shop for any number of days.

    Attributes:
        per_day: mean number of impressions of a day.
        seed, conflict, hidden: as for `simulate`.
        start: start of the first day, in milliseconds since 1970.
        dials: how the shop changes.
    """

    def __init__(
        self,
        per_day: int,
        seed: int,
        first_day: datetime.date = shop.START,
        conflict: float = 0.0,
        hidden: float = 0.0,
        dials: Dials | None = None,
    ) -> None:
        self.per_day, self.seed, self.conflict, self.hidden = per_day, seed, conflict, hidden
        self.dials = dials or Dials()
        self.start = (first_day - datetime.date(1970, 1, 1)).days * DAY_MS
        # The size of the shop that `simulate` draws for a fortnight of such days.
        users = max(100, per_day * _FORTNIGHT // 40)
        items = int(np.clip(per_day * _FORTNIGHT // 60, 200, 4000))
        rng = random(seed, 1)
        self._limits = shop.habits(rng, users, items)
        of_user, self._habit = shop.draw_users(rng, users)
        of_item, item_tags, self._assortment = shop.draw_items(rng, items)
        of_user["basket"] = shop.draw_baskets(rng, of_user)
        self._population = Population(users=of_user, items=of_item, item_tags=item_tags)
        self._constants = self._constants_of(rng)

    def days(self, count: int) -> Iterator[ShopOfDay]:
        """The first `count` days, in order."""
        population, places = self._population, np.arange(len(self._population.item_tags))
        seen: collections.deque[Array] = collections.deque(maxlen=UNSEEN_DAYS)
        for number in range(count):
            population, places = self._renewed(number, population, places)
            barred = np.concatenate([*seen, np.empty(0, np.int64)])
            logged = self._traffic(number, places, population, barred)
            seen.append(shop.pair_codes(logged.user, logged.item))
            yield ShopOfDay(self, number, places, logged)

    def _traffic(self, number: int, places: Array, population: Population, barred: Array) -> Traffic:
        """The impressions of a day, sorted by time."""
        rng = random(day_seed(self.seed, number), 1)
        start = self.start + number * DAY_MS
        week = self._even(np.array([1.0] * 5 + [shop.WEEKEND] * 2))
        count = max(1, round(self.per_day * week[_weekday(start)]))
        user, item = shop.draw_pairs(rng, count, self._limits, places, barred)
        device, position = shop.draw_views(rng, self._habit[user])
        hour = rng.choice(24, count, p=self._even(shop.HOURLY) / 24.0)
        time = np.sort(start + hour * HOUR_MS + rng.integers(HOUR_MS, size=count))
        return population.impressions(time, user, item, device, position)

    def truth_on(self, number: int, shown: Traffic, interest: Array | float) -> Truth:
        """True probabilities of impressions on a day."""
        moment = self.dials.rhythm * (WEEKDAY_LOGITS[_weekday(shown.time)] + HOUR_LOGITS[shown.codes["hour"]])

        def draws(seed: int, part: int) -> Draws:
            return Walk(seed, part, number, self.dials.drift)

        return truth(shown, self.seed, self.conflict, self._constants, interest + moment, draws)

    def _even(self, pattern: Array) -> Array:
        """A pattern of the traffic, relative to its mean, at the rhythm of this shop."""
        return 1.0 + self.dials.rhythm * (pattern / pattern.mean() - 1.0)

    def _constants_of(self, rng: np.random.Generator) -> Constants:
        user, item = (shop.draw_places(rng, limits, _REFERENCE) for limits in self._limits)
        device, position = shop.draw_views(rng, self._habit[user])
        time = self.start + rng.integers(24, size=_REFERENCE) * HOUR_MS
        shown = self._population.impressions(time, user, item, device, position)
        constants = Constants()
        constants.once("users", lambda: len(self._habit))
        truth(shown, self.seed, self.conflict, constants, interests(_REFERENCE, self.seed, self.hidden))
        return constants

    def _renewed(self, number: int, population: Population, places: Array) -> tuple[Population, Array]:
        """The population and the item in each place after the births of a day. Numbers of dead items are not used again."""
        share = self.dials.births * len(places)
        born = round(share * number) - round(share * (number - 1)) if number else 0
        if not born:
            return population, places
        rng = random(day_seed(self.seed, number), 7)
        known = len(population.item_tags)
        of_item, item_tags, _ = shop.draw_items(rng, born, self._assortment)
        items = {name: np.concatenate([values, of_item[name]]) for name, values in population.items.items()}
        places = places.copy()
        places[rng.permutation(len(places))[:born]] = np.arange(known, known + born)
        tags = np.concatenate([population.item_tags, item_tags])
        return Population(users=population.users, items=items, item_tags=tags), places


class Walk:
    """Normal draws that wander from day to day, see `drift` in the module. On day 0, and without drift, those of `random`."""

    def __init__(self, seed: int, part: int, day: int, drift: float) -> None:
        self._drift = drift
        self._first = random(seed, part)
        self._later = [np.random.default_rng([seed, part, later]) for later in range(1, day + 1)] if drift else []

    def normal(self, *, size: int | tuple[int, ...] | None = None) -> Any:
        """Standard normal numbers. A longer array begins with the numbers of a shorter one."""
        values = self._first.normal(size=size)
        for rng in self._later:
            values = np.sqrt(1.0 - self._drift**2) * values + self._drift * rng.normal(size=size)
        return values


def day_seed(seed: int, number: int) -> int:
    """The seed of what is drawn on one day only."""
    return int(np.random.SeedSequence([seed, 99, number + 1]).generate_state(1, np.uint64)[0])


def _weekday(time: Any) -> Any:
    """0 for Monday to 6 for Sunday. 1970-01-01 was a Thursday."""
    return (time // DAY_MS + 3) % 7
