"""Draws the simulated outcomes (clicks, dwell times, carts, orders) and their delays after the impression.

Delays are lognormal, truncated at the outcome's window, so that the true probability is exactly that of an outcome inside
its window. `simulate_dirt` adds and counts later outcomes.
"""

from __future__ import annotations

import numpy as np

from pipeline.simulate_shop import DAY_MS, HOUR_MS, Array, Traffic, random
from pipeline.simulate_truth import VALUE_NOISE, Truth

MINUTE_MS = 60_000

WINDOWS_MS = {"clicks": 30 * MINUTE_MS, "dwell": HOUR_MS, "carts": DAY_MS, "orders": 2 * DAY_MS}
"""Stream -> distribution of the delay after the impression."""

Events = dict[str, dict[str, Array]]
"""Stream -> {"impression": index of the impression, "time": milliseconds, and the stream's other columns}."""


def outcomes(shown: Traffic, truth: Truth, seed: int) -> Events:
    """All outcomes, including those after the end of the log."""
    rng = random(seed, 5)
    count = len(shown)
    clicked = np.flatnonzero(rng.random(count) < truth.click)
    click_delay = click_delays(rng, len(clicked))
    dwell = delays(rng, 25_000.0, 1.0, np.full(len(clicked), 20 * MINUTE_MS))

    order_chance, cart_chance = truth.order_given_click[clicked], truth.cart_given_click[clicked]
    ordered = rng.random(len(clicked)) < order_chance
    left_standing = (cart_chance - order_chance) / (1.0 - order_chance)
    carted = ordered | (rng.random(len(clicked)) < left_standing)
    order_delay = click_delay + delays(rng, 4.0 * HOUR_MS, 1.5, WINDOWS_MS["orders"] - click_delay)
    cart_delay = click_delay + delays(rng, 2.0 * MINUTE_MS, 1.6, WINDOWS_MS["carts"] - click_delay)
    cart_delay = np.where(ordered, np.minimum(cart_delay, (click_delay + order_delay) // 2), cart_delay)
    noise = np.exp(rng.normal(0.0, VALUE_NOISE, size=len(clicked)))
    value = np.maximum(np.round(shown.value[clicked] * noise, 2), 0.01)

    def stream(chosen: Array, delay: Array, **columns: Array) -> dict[str, Array]:
        impression = clicked[chosen]
        events = {"impression": impression, "time": shown.time[impression] + delay[chosen]}
        return events | {name: values[chosen] for name, values in columns.items()}

    every = np.ones(len(clicked), dtype=bool)
    return {
        "clicks": stream(every, click_delay),
        "dwell": stream(every, click_delay + dwell, dwell_seconds=np.round(dwell / 1000.0, 1)),
        "carts": stream(carted, cart_delay),
        "orders": stream(ordered, order_delay, order_value=value),
    }


def click_delays(rng: np.random.Generator, count: int) -> Array:
    """Delays of clicks after their impressions."""
    return delays(rng, 20_000.0, 1.2, np.full(count, WINDOWS_MS["clicks"]))


def delays(rng: np.random.Generator, median: float, sigma: float, limit: Array) -> Array:
    """Lognormal delays in whole milliseconds, redrawn until each is below its limit."""
    drawn = rng.lognormal(np.log(median), sigma, size=len(limit))
    for _ in range(100):
        over = np.flatnonzero(drawn >= limit - 1)
        if not len(over):
            break
        drawn[over] = rng.lognormal(np.log(median), sigma, size=len(over))
    return np.minimum(drawn, limit - 1).astype(np.int64)


def late_delays(rng: np.random.Generator, window: int, count: int) -> Array:
    """Heavy-tailed delays beyond the window, up to three windows."""
    return (window * np.minimum(1.02 + 0.3 * rng.pareto(2.0, size=count), 3.0)).astype(np.int64)
