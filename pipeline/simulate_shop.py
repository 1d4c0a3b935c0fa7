"""The simulated shop's users, items and impressions. `simulate_truth` has the probabilities of their outcomes."""

from __future__ import annotations

import dataclasses
import datetime

import numpy as np

Array = np.ndarray

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
START = datetime.date(2026, 1, 1)
START_MS = int(datetime.datetime.combine(START, datetime.time(), datetime.UTC).timestamp()) * 1000

COUNTRIES = ("DE", "US", "FR", "BR", "JP", "AT", "PL", "NZ")
SEGMENTS = ("browser", "bargain", "loyal", "gift", "trend", "new")
DEVICES = ("phone", "desktop", "tablet", "tv")
CATEGORIES = (
    "shoes",
    "shirts",
    "jackets",
    "bags",
    "watches",
    "phones",
    "audio",
    "kitchen",
    "garden",
    "toys",
    "books",
    "sports",
)
BRANDS = 60
TAGS = 40
MAX_TAGS = 5
POSITIONS = 20

_COUNTRY_SHARES = np.array([0.30, 0.22, 0.14, 0.12, 0.09, 0.06, 0.04, 0.03])
_SEGMENT_SHARES = np.array([0.30, 0.20, 0.18, 0.12, 0.12, 0.08])
_DEVICE_SHARES = np.array([0.55, 0.30, 0.11, 0.04])
_HOURLY = 1.0 + 0.85 * np.sin((np.arange(24) - 10.0) / 24.0 * 2.0 * np.pi) + np.where(np.arange(24) < 6, -0.1, 0.1)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Population:
    """The users and items.

    Attributes:
        users: "segment" and "country", indices into their values; "age", NaN if unknown; "basket", relative size of the
            user's orders. (user,) each.
        items: "category" and "brand", indices; "price"; "rating", NaN if unknown. (item,) each.
        item_tags: (item, tag), whether an item has a tag.
    """

    users: dict[str, Array]
    items: dict[str, Array]
    item_tags: Array

    def impressions(self, time: Array, user: Array, item: Array, device: Array, position: Array) -> Traffic:
        """Builds impressions. All arguments are (impression,)."""
        of_user = {name: values[user] for name, values in self.users.items()}
        of_item = {name: values[item] for name, values in self.items.items()}
        return Traffic(
            time=time,
            user=user,
            item=item,
            codes={
                "segment": of_user["segment"],
                "country": of_user["country"],
                "device": device,
                "category": of_item["category"],
                "brand": of_item["brand"],
                "position": position,
                "hour": time // HOUR_MS % 24,
            },
            numbers={"age": of_user["age"], "price": of_item["price"], "rating": of_item["rating"]},
            value=1.1 * of_item["price"] * of_user["basket"],
            population=self,
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Traffic:
    """The impressions. Every array has one entry per impression.

    Attributes:
        time: milliseconds since 1970, UTC.
        user, item: numbers of the user and the item.
        codes: feature -> index into its values.
        numbers: feature -> number; NaN if unknown.
        value: mean value of an order, without noise.
        population: the users and items.
    """

    time: Array
    user: Array
    item: Array
    codes: dict[str, Array]
    numbers: dict[str, Array]
    value: Array
    population: Population

    def __len__(self) -> int:
        return len(self.time)


def random(seed: int, part: int) -> np.random.Generator:
    """The random generator of one part of the simulation. Adding a part does not change the others."""
    return np.random.default_rng([seed, part])


def traffic(impressions: int, seed: int, days: int) -> Traffic:
    """The impressions, sorted by time. No user sees an item twice, so each outcome has one possible impression."""
    rng = random(seed, 1)
    users = max(100, impressions // 40)
    items = int(np.clip(impressions // 60, 200, 4000))
    user, item = _pairs(rng, impressions, users, items)

    segment = rng.choice(len(SEGMENTS), users, p=_SEGMENT_SHARES)
    country = rng.choice(len(COUNTRIES), users, p=_COUNTRY_SHARES)
    habit = rng.choice(len(DEVICES), users, p=_DEVICE_SHARES)
    age = np.clip(np.round(rng.normal(np.array([34, 46, 41, 52, 24, 30])[segment], 9.0)), 16, 90)
    age[rng.random(users) < 0.08] = np.nan

    category = rng.integers(len(CATEGORIES), size=items)
    brand = (category * 5 + np.minimum(rng.geometric(0.3, size=items) - 1, 12)) % BRANDS
    centre = rng.normal(3.4, 0.6, size=len(CATEGORIES))
    price = np.round(np.exp(rng.normal(centre[category], 0.75)) + 0.99, 2)
    quality = rng.normal(size=items)
    rating = np.clip(np.round(3.9 + 0.6 * quality, 1), 1.0, 5.0)
    rating[rng.random(items) < 0.05] = np.nan
    likely = rng.random((len(CATEGORIES), TAGS)) ** 3
    tag_rank = np.argsort(rng.random((items, TAGS)) / (likely[category] + 0.02), axis=1)
    item_tags = np.zeros((items, TAGS), dtype=bool)
    tags = rng.integers(MAX_TAGS + 1, size=items)
    for rank in range(MAX_TAGS):
        item_tags[np.arange(items)[tags > rank], tag_rank[tags > rank, rank]] = True

    device = np.where(
        rng.random(impressions) < 0.8, habit[user], rng.choice(len(DEVICES), impressions, p=_DEVICE_SHARES)
    )
    position = np.minimum(rng.geometric(0.13, size=impressions), POSITIONS)
    time = _times(rng, impressions, days)
    basket = (
        np.exp(rng.normal(0.0, 0.15, size=len(COUNTRIES)))[country]
        * np.exp(rng.normal(0.0, 0.2, size=len(SEGMENTS)))[segment]
    )
    population = Population(
        users={"segment": segment, "country": country, "age": age, "basket": basket},
        items={"category": category, "brand": brand, "price": price, "rating": rating},
        item_tags=item_tags,
    )
    return population.impressions(time, user, item, device, position)


def _pairs(rng: np.random.Generator, count: int, users: int, items: int) -> tuple[Array, Array]:
    """`count` distinct pairs of users with skewed activity and items with Zipf popularity."""
    activity = rng.lognormal(0.0, 0.7, size=users)
    popularity = rng.permutation(1.0 / np.arange(1, items + 1) ** 0.8)
    limits = np.cumsum(activity / activity.sum()), np.cumsum(popularity / popularity.sum())
    pairs = np.empty(0, dtype=np.int64)
    while len(pairs) < count:
        size = int(1.2 * (count - len(pairs))) + 100
        user, item = (
            np.minimum(np.searchsorted(limit, rng.random(size), side="right"), len(limit) - 1) for limit in limits
        )
        pairs = np.concatenate([pairs, user * items + item])
        _, first = np.unique(pairs, return_index=True)
        pairs = pairs[np.sort(first)]
    pairs = rng.permutation(pairs[:count])
    return pairs // items, pairs % items


def _times(rng: np.random.Generator, count: int, days: int) -> Array:
    """Ascending times, more frequent on weekends and in the evening."""
    weekend = np.array([(START + datetime.timedelta(days=day)).weekday() >= 5 for day in range(days)])
    daily = np.where(weekend, 1.25, 1.0)
    day = rng.choice(days, count, p=daily / daily.sum())
    hour = rng.choice(24, count, p=_HOURLY / _HOURLY.sum())
    return np.sort(START_MS + day * DAY_MS + hour * HOUR_MS + rng.integers(HOUR_MS, size=count))
