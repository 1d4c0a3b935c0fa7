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
WEEKEND = 1.25
"""Traffic of a day of the weekend, relative to a day of the week."""
HOURLY = 1.0 + 0.85 * np.sin((np.arange(24) - 10.0) / 24.0 * 2.0 * np.pi) + np.where(np.arange(24) < 6, -0.1, 0.1)

"""Traffic of each hour of the day, relative to the mean."""
_PAIR = 1 << 32


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
    user, item = draw_pairs(rng, impressions, habits(rng, users, items), np.arange(items))
    of_user, habit = draw_users(rng, users)
    of_item, item_tags, _ = draw_items(rng, items)
    device, position = draw_views(rng, habit[user])
    time = _times(rng, impressions, days)
    of_user["basket"] = draw_baskets(rng, of_user)
    return Population(users=of_user, items=of_item, item_tags=item_tags).impressions(time, user, item, device, position)


def draw_users(rng: np.random.Generator, count: int) -> tuple[dict[str, Array], Array]:
    """The columns of new users but the basket, and the device that each mostly uses. (user,) each."""
    segment = rng.choice(len(SEGMENTS), count, p=_SEGMENT_SHARES)
    country = rng.choice(len(COUNTRIES), count, p=_COUNTRY_SHARES)
    habit = rng.choice(len(DEVICES), count, p=_DEVICE_SHARES)
    age = np.clip(np.round(rng.normal(np.array([34, 46, 41, 52, 24, 30])[segment], 9.0)), 16, 90)
    age[rng.random(count) < 0.08] = np.nan
    return {"segment": segment, "country": country, "age": age}, habit


def draw_baskets(rng: np.random.Generator, of_user: dict[str, Array]) -> Array:
    """(user,): relative size of the orders, a product of an effect of the country and one of the segment."""
    return (
        np.exp(rng.normal(0.0, 0.15, size=len(COUNTRIES)))[of_user["country"]]
        * np.exp(rng.normal(0.0, 0.2, size=len(SEGMENTS)))[of_user["segment"]]
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Assortment:
    """What the items of a category have in common.

    Attributes:
        log_price: (category,) mean logarithm of the price.
        tags: (category, tag) relative frequency of the tags.
    """

    log_price: Array
    tags: Array


def draw_items(
    rng: np.random.Generator, count: int, assortment: Assortment | None = None
) -> tuple[dict[str, Array], Array, Assortment]:
    """The columns of new items, (item,) each; their tags, (item, tag); and the assortment, drawn if it is None."""
    category = rng.integers(len(CATEGORIES), size=count)
    brand = (category * 5 + np.minimum(rng.geometric(0.3, size=count) - 1, 12)) % BRANDS
    centre = assortment.log_price if assortment else rng.normal(3.4, 0.6, size=len(CATEGORIES))
    price = np.round(np.exp(rng.normal(centre[category], 0.75)) + 0.99, 2)
    quality = rng.normal(size=count)
    rating = np.clip(np.round(3.9 + 0.6 * quality, 1), 1.0, 5.0)
    rating[rng.random(count) < 0.05] = np.nan
    likely = assortment.tags if assortment else rng.random((len(CATEGORIES), TAGS)) ** 3
    tag_rank = np.argsort(rng.random((count, TAGS)) / (likely[category] + 0.02), axis=1)
    item_tags = np.zeros((count, TAGS), dtype=bool)
    tags = rng.integers(MAX_TAGS + 1, size=count)
    for rank in range(MAX_TAGS):
        item_tags[np.arange(count)[tags > rank], tag_rank[tags > rank, rank]] = True
    columns = {"category": category, "brand": brand, "price": price, "rating": rating}
    return columns, item_tags, Assortment(log_price=centre, tags=likely)


def draw_views(rng: np.random.Generator, habit: Array) -> tuple[Array, Array]:
    """The device and the position of each impression, by the usual device of its user. (impression,) each."""
    usual = rng.random(len(habit)) < 0.8
    device = np.where(usual, habit, rng.choice(len(DEVICES), len(habit), p=_DEVICE_SHARES))
    return device, np.minimum(rng.geometric(0.13, size=len(habit)), POSITIONS)


def habits(rng: np.random.Generator, users: int, items: int) -> tuple[Array, Array]:
    """Cumulative shares: of the users in the traffic, which are skewed, and of the items, which are Zipf."""
    activity = rng.lognormal(0.0, 0.7, size=users)
    popularity = rng.permutation(1.0 / np.arange(1, items + 1) ** 0.8)
    return np.cumsum(activity / activity.sum()), np.cumsum(popularity / popularity.sum())


def draw_places(rng: np.random.Generator, limits: Array, size: int) -> Array:
    """`size` indices into cumulative shares."""
    return np.minimum(np.searchsorted(limits, rng.random(size), side="right"), len(limits) - 1)


def pair_codes(user: Array, item: Array) -> Array:
    """One number for each pair of a user and an item."""
    return user.astype(np.int64) * _PAIR + item


def draw_pairs(
    rng: np.random.Generator, count: int, limits: tuple[Array, Array], items: Array, barred: Array | None = None
) -> tuple[Array, Array]:
    """`count` distinct pairs.

    Args:
        rng: the random generator.
        count: number of pairs.
        limits: cumulative shares of the users and of the places of items, see `habits`.
        items: (place,) number of the item in each place.
        barred: `pair_codes` of pairs not to draw.

    Returns:
        Numbers of the users and of the items, (count,) each.
    """
    pairs = np.empty(0, dtype=np.int64)
    while len(pairs) < count:
        size = int(1.2 * (count - len(pairs))) + 100
        user, place = (draw_places(rng, limit, size) for limit in limits)
        pairs = np.concatenate([pairs, pair_codes(user, items[place])])
        _, first = np.unique(pairs, return_index=True)
        pairs = pairs[np.sort(first)]
        if barred is not None:
            pairs = pairs[~np.isin(pairs, barred)]
    pairs = rng.permutation(pairs[:count])
    return pairs // _PAIR, pairs % _PAIR


def _times(rng: np.random.Generator, count: int, days: int) -> Array:
    """Ascending times, more frequent on weekends and in the evening."""
    weekend = np.array([(START + datetime.timedelta(days=day)).weekday() >= 5 for day in range(days)])
    daily = np.where(weekend, WEEKEND, 1.0)
    day = rng.choice(days, count, p=daily / daily.sum())
    hour = rng.choice(24, count, p=HOURLY / HOURLY.sum())
    return np.sort(START_MS + day * DAY_MS + hour * HOUR_MS + rng.integers(HOUR_MS, size=count))
