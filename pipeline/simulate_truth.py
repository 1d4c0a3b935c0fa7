"""The true probabilities of the simulated shop: of a click, a cart and an order for each impression.

All probabilities are functions of logged columns, plus a modest effect of each user and item. A model can come close to
them, but not by memorization.

    score_k(x) = sum of standardised effects of segment, country, device, category, ..., user, item    k = 1, 2
    logit_click = b + 1.15 score_1 - 0.45 log(position)                  + interest
    logit_cart  = b + 0.95 direction(conflict / 2) + 0.3 own_cart                     given a click, without an order
    logit_order = b + 1.05 direction(conflict)     + 0.3 own_order       + interest   given a click
    direction(c) = cos(pi c) score_1 + sin(pi c) score_2

score_1 and score_2 are uncorrelated with variance 1. At conflict 0, the causes of a click also cause an order; at 1/2, the
two are unrelated; at 1, the causes of a click prevent an order.

The interest is what the logs do not show: INTEREST hidden N(0, 1), drawn for each impression. By default `hidden` is 0, and
click and order are independent given the logged columns.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from pipeline.simulate_shop import BRANDS, CATEGORIES, COUNTRIES, DEVICES, SEGMENTS, TAGS, Array, Traffic, random

CLICK_RATE = 0.10
CART_RATE = 0.20
ORDER_RATE = 0.10
VALUE_NOISE = 0.25
INTEREST = 0.75
"""Standard deviation of the interest, in both logits, at `hidden` 1."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Truth:
    """True probabilities of each impression, and the mean value of its order if there is one."""

    click: Array
    cart_given_click: Array
    order_given_click: Array
    order_value: Array

    def columns(self) -> dict[str, Array]:
        """{column name: array} for writing."""
        return {
            "p_click": self.click,
            "p_cart_given_click": self.cart_given_click,
            "p_order_given_click": self.order_given_click,
            "mean_order_value": self.order_value,
        }


class Constants:
    """Named means, standard deviations and offsets, computed from the logged impressions.

    The first call of `truth` computes them. Later calls reuse them for other impressions.
    """

    def __init__(self) -> None:
        self._found: dict[str, Any] = {}

    def once(self, name: str, find: Callable[[], Any]) -> Any:
        """The constant of this name. The first call computes it with `find`."""
        if name not in self._found:
            self._found[name] = find()
        return self._found[name]

    def standardise(self, name: str, values: Array) -> Array:
        """Scales to mean 0 and variance 1 over the logged impressions; zeros if all their values are equal."""
        mean, spread = self.once(name, lambda: (np.mean(values), float(np.std(values))))
        return (values - mean) / spread if spread > 1e-12 else np.zeros(len(values))

    def filled(self, name: str, values: Array) -> Array:
        """Replaces unknown values with the mean over the logged impressions."""
        return np.nan_to_num(values, nan=self.once(name, lambda: np.nanmean(values)))

    def with_mean(self, name: str, logits: Array, weights: Array, mean: float) -> Array:
        """sigmoid(b + logits), with b such that the weighted mean over the logged impressions is `mean`."""
        return _sigmoid(logits + self.once(name, lambda: _offset(logits, weights, mean)))


def interests(count: int, seed: int, hidden: float) -> Array:
    """(impression,): the interest of each logged impression."""
    return INTEREST * hidden * random(seed, 6).normal(size=count)


class Draws(Protocol):
    """What the effects are drawn from: a random generator, or the walk of `simulate_world` for one day."""

    def normal(self, *, size: int | tuple[int, ...] | None = None) -> Any:
        """Standard normal numbers."""


def truth(
    shown: Traffic,
    seed: int,
    conflict: float,
    constants: Constants | None = None,
    interest: Array | float = 0.0,
    draws: Callable[[int, int], Draws] = random,
) -> Truth:
    """The true probabilities of the impressions.

    Args:
        shown: the impressions.
        seed, conflict: as for `simulate`.
        constants: constants of the logged impressions. None: `shown` are the logged impressions.
        interest: one for all impressions, or (impression,).
        draws: maps the seed and the number of a part to what the effects of the part are drawn from.
    """
    fixed = constants or Constants()
    first = _score("first", draws(seed, 2), shown, fixed)
    second = _score("second", draws(seed, 3), shown, fixed)
    shared = fixed.once("shared", lambda: np.mean(first * second))
    second = fixed.standardise("second/own", second - shared * first)

    def direction(rotation: float) -> Array:
        return np.cos(np.pi * rotation) * first + np.sin(np.pi * rotation) * second

    ones = np.ones(len(shown))
    place = fixed.standardise("place", np.log(shown.codes["position"].astype(np.float64)))
    own = draws(seed, 4).normal(size=(2, len(CATEGORIES)))
    price = fixed.standardise("price", np.log(shown.numbers["price"]))
    own_cart = fixed.standardise("own_cart", own[0][shown.codes["category"]] + 0.5 * price)
    own_order = fixed.standardise("own_order", own[1][shown.codes["category"]] - 1.5 * price)
    click = fixed.with_mean("click", 1.15 * first - 0.45 * place + interest, ones, CLICK_RATE)
    order = fixed.with_mean("order", 1.05 * direction(conflict) + 0.3 * own_order + interest, click, ORDER_RATE)
    # Every order had a cart. The other carts are abandoned.
    left_standing = (CART_RATE - ORDER_RATE) / (1.0 - ORDER_RATE)
    cart = fixed.with_mean(
        "cart", 0.95 * direction(conflict / 2.0) + 0.3 * own_cart, click * (1.0 - order), left_standing
    )
    return Truth(
        click=click,
        cart_given_click=order + (1.0 - order) * cart,
        order_given_click=order,
        order_value=shown.value * np.exp(VALUE_NOISE**2 / 2.0),
    )


def _score(name: str, rng: Draws, shown: Traffic, fixed: Constants) -> Array:
    """(impression,): weighted sum of effects, each standardised over the logged impressions."""
    code, number, item_tags = shown.codes, shown.numbers, shown.population.item_tags
    part_of_day = code["hour"] // 6
    users = fixed.once("users", lambda: int(shown.user.max()) + 1)
    price = fixed.standardise("price", np.log(number["price"]))
    age = fixed.standardise("age", fixed.filled("known age", number["age"]))
    rating = fixed.standardise("rating", fixed.filled("known rating", number["rating"]))
    tags = item_tags @ rng.normal(size=TAGS) / np.maximum(item_tags.sum(axis=1), 1)
    taste = rng.normal(size=(len(SEGMENTS), len(CATEGORIES)))
    effects = (
        ("segment", 0.50, rng.normal(size=len(SEGMENTS))[code["segment"]]),
        ("country", 0.30, rng.normal(size=len(COUNTRIES))[code["country"]]),
        ("device", 0.35, rng.normal(size=len(DEVICES))[code["device"]]),
        ("category", 0.50, rng.normal(size=len(CATEGORIES))[code["category"]]),
        ("brand", 0.12, rng.normal(size=BRANDS)[code["brand"]]),
        ("taste", 0.22, taste[code["segment"], code["category"]]),
        ("part of day", 0.08, rng.normal(size=(len(DEVICES), 4))[code["device"], part_of_day]),
        ("age", 0.25, rng.normal() * age + rng.normal() * age**2),
        (
            "price",
            0.30,
            rng.normal(size=len(SEGMENTS))[code["segment"]] * price + rng.normal() * price - 0.5 * price**2,
        ),
        ("rating", 0.45, rating),
        ("tags", 0.16, tags[shown.item]),
        ("user", 0.08, rng.normal(size=users)[shown.user]),
        ("item", 0.12, rng.normal(size=len(item_tags))[shown.item]),
    )
    total = np.zeros(len(shown))
    for what, weight, effect in effects:
        total += weight * fixed.standardise(f"{name}/{what}", effect)
    return fixed.standardise(f"{name}/total", total)


def _offset(logits: Array, weights: Array, mean: float) -> float:
    """The b for which the weighted mean of sigmoid(b + logits) is `mean`, over a sample of the rows."""
    step = max(1, len(logits) // 100_000)
    sample, weight = logits[::step], weights[::step] / weights[::step].sum()
    low, high = -30.0, 30.0
    for _ in range(40):
        middle = (low + high) / 2.0
        if float(weight @ _sigmoid(sample + middle)) < mean:
            low = middle
        else:
            high = middle
    return (low + high) / 2.0


def _sigmoid(values: Array) -> Array:
    return 1.0 / (1.0 + np.exp(-values))
