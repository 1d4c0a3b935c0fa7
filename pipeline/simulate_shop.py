"""The simulated shop: who sees what when, and how likely each of them is to click, to put it in the cart, to order.

All probabilities are functions of columns that are logged, plus a modest effect of each user and item, so that a model
can come close to the truth but not by heart.

    score_k(x) = sum of standardised effects of segment, country, device, category, ..., user, item    k = 1, 2
    logit_click = b + 1.15 score_1 - 0.45 log(position)
    logit_cart  = b + 0.95 direction(conflict / 2) + 0.3 own_cart        given a click, without an order
    logit_order = b + 1.05 direction(conflict)     + 0.3 own_order       given a click
    direction(c) = cos(pi c) score_1 + sin(pi c) score_2

score_1 and score_2 are uncorrelated and of variance 1, so at conflict 0 what makes a click makes an order, at 1/2 the
two have nothing to do with each other, and at 1 what makes a click prevents an order.
"""

from __future__ import annotations

import dataclasses
import datetime

import numpy as np

Array = np.ndarray

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
START = datetime.date(2026, 1, 1)

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

CLICK_RATE = 0.10
CART_RATE = 0.20
ORDER_RATE = 0.10
VALUE_NOISE = 0.25

_COUNTRY_SHARES = np.array([0.30, 0.22, 0.14, 0.12, 0.09, 0.06, 0.04, 0.03])
_SEGMENT_SHARES = np.array([0.30, 0.20, 0.18, 0.12, 0.12, 0.08])
_DEVICE_SHARES = np.array([0.55, 0.30, 0.11, 0.04])
_HOURLY = 1.0 + 0.85 * np.sin((np.arange(24) - 10.0) / 24.0 * 2.0 * np.pi) + np.where(np.arange(24) < 6, -0.1, 0.1)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Traffic:
    """The impressions, in order of time; every array has one entry for each.

    Attributes:
        time: milliseconds since 1970, UTC.
        user, item: their numbers; no user sees an item twice, so that each outcome has one possible impression.
        codes: feature -> index into its values.
        numbers: feature -> number; NaN where it is not known.
        item_tags: (item, tag), whether an item has a tag: the only array that goes by items.
        value: mean value of an order without its noise.
    """

    time: Array
    user: Array
    item: Array
    codes: dict[str, Array]
    numbers: dict[str, Array]
    item_tags: Array
    value: Array

    def __len__(self) -> int:
        return len(self.time)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Truth:
    """True probabilities of each impression, and the mean value of its order, should there be one."""

    click: Array
    cart_given_click: Array
    order_given_click: Array
    order_value: Array


def random(seed: int, part: int) -> np.random.Generator:
    """The random numbers of one part of the simulation: a part more changes nothing in the others."""
    return np.random.default_rng([seed, part])


def traffic(impressions: int, seed: int, days: int) -> Traffic:
    """Who saw what, where and when."""
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
    hour = time // HOUR_MS % 24

    basket = (
        np.exp(rng.normal(0.0, 0.15, size=len(COUNTRIES)))[country[user]]
        * np.exp(rng.normal(0.0, 0.2, size=len(SEGMENTS)))[segment[user]]
    )
    return Traffic(
        time=time,
        user=user,
        item=item,
        codes={
            "segment": segment[user],
            "country": country[user],
            "device": device,
            "category": category[item],
            "brand": brand[item],
            "position": position,
            "hour": hour,
        },
        numbers={"age": age[user], "price": price[item], "rating": rating[item]},
        item_tags=item_tags,
        value=1.1 * price[item] * basket,
    )


def _pairs(rng: np.random.Generator, count: int, users: int, items: int) -> tuple[Array, Array]:
    """`count` different pairs: users of skewed activity, items of Zipf popularity."""
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
    """Rising times: more of them at the weekend and in the evening."""
    start = datetime.datetime.combine(START, datetime.time(), datetime.UTC)
    weekend = np.array([(START + datetime.timedelta(days=day)).weekday() >= 5 for day in range(days)])
    daily = np.where(weekend, 1.25, 1.0)
    day = rng.choice(days, count, p=daily / daily.sum())
    hour = rng.choice(24, count, p=_HOURLY / _HOURLY.sum())
    return np.sort(int(start.timestamp()) * 1000 + day * DAY_MS + hour * HOUR_MS + rng.integers(HOUR_MS, size=count))


def truth(shown: Traffic, seed: int, conflict: float) -> Truth:
    """The true probabilities of the impressions."""
    first = _score(random(seed, 2), shown)
    second = _score(random(seed, 3), shown)
    second = _standardise(second - np.mean(first * second) * first)

    def direction(rotation: float) -> Array:
        return np.cos(np.pi * rotation) * first + np.sin(np.pi * rotation) * second

    ones = np.ones(len(shown))
    place = _standardise(np.log(shown.codes["position"].astype(np.float64)))
    own = random(seed, 4).normal(size=(2, len(CATEGORIES)))
    price = _standardise(np.log(shown.numbers["price"]))
    own_cart = _standardise(own[0][shown.codes["category"]] + 0.5 * price)
    own_order = _standardise(own[1][shown.codes["category"]] - 1.5 * price)
    click = _with_mean(1.15 * first - 0.45 * place, ones, CLICK_RATE)
    order = _with_mean(1.05 * direction(conflict) + 0.3 * own_order, click, ORDER_RATE)
    # Whoever orders had it in the cart; the rest of the carts are left standing.
    left_standing = (CART_RATE - ORDER_RATE) / (1.0 - ORDER_RATE)
    cart = _with_mean(0.95 * direction(conflict / 2.0) + 0.3 * own_cart, click * (1.0 - order), left_standing)
    return Truth(
        click=click,
        cart_given_click=order + (1.0 - order) * cart,
        order_given_click=order,
        order_value=shown.value * np.exp(VALUE_NOISE**2 / 2.0),
    )


def _score(rng: np.random.Generator, shown: Traffic) -> Array:
    """A weighted sum of effects, each standardised over the impressions: (impression,), mean 0, variance 1."""
    code, number = shown.codes, shown.numbers
    part_of_day = code["hour"] // 6
    price = _standardise(np.log(number["price"]))
    age = _standardise(np.nan_to_num(number["age"], nan=np.nanmean(number["age"])))
    rating = _standardise(np.nan_to_num(number["rating"], nan=np.nanmean(number["rating"])))
    tags = shown.item_tags @ rng.normal(size=TAGS) / np.maximum(shown.item_tags.sum(axis=1), 1)
    taste = rng.normal(size=(len(SEGMENTS), len(CATEGORIES)))
    effects = (
        (0.50, rng.normal(size=len(SEGMENTS))[code["segment"]]),
        (0.30, rng.normal(size=len(COUNTRIES))[code["country"]]),
        (0.35, rng.normal(size=len(DEVICES))[code["device"]]),
        (0.50, rng.normal(size=len(CATEGORIES))[code["category"]]),
        (0.12, rng.normal(size=BRANDS)[code["brand"]]),
        (0.22, taste[code["segment"], code["category"]]),
        (0.08, rng.normal(size=(len(DEVICES), 4))[code["device"], part_of_day]),
        (0.25, rng.normal() * age + rng.normal() * age**2),
        (0.30, rng.normal(size=len(SEGMENTS))[code["segment"]] * price + rng.normal() * price - 0.5 * price**2),
        (0.45, rating),
        (0.16, tags[shown.item]),
        (0.08, rng.normal(size=shown.user.max() + 1)[shown.user]),
        (0.12, rng.normal(size=len(shown.item_tags))[shown.item]),
    )
    total = np.zeros(len(shown))
    for weight, effect in effects:
        total += weight * _standardise(effect)
    return _standardise(total)


def _standardise(values: Array) -> Array:
    """Mean 0 and variance 1; zeros where all values are the same."""
    spread = float(np.std(values))
    return (values - np.mean(values)) / spread if spread > 1e-12 else np.zeros(len(values))


def _with_mean(logits: Array, weights: Array, mean: float) -> Array:
    """sigmoid(b + logits), with the b that makes its weighted mean `mean` (over a sample of the rows)."""
    step = max(1, len(logits) // 100_000)
    sample, weight = logits[::step], weights[::step] / weights[::step].sum()
    low, high = -30.0, 30.0
    for _ in range(40):
        middle = (low + high) / 2.0
        if float(weight @ _sigmoid(sample + middle)) < mean:
            low = middle
        else:
            high = middle
    return _sigmoid(logits + (low + high) / 2.0)


def _sigmoid(values: Array) -> Array:
    return 1.0 / (1.0 + np.exp(-values))
