"""What clicks select in the simulated shop: the true probability of an order if every impression were clicked.

The logs have orders of clicked impressions only. With x, all columns of an impression and its user and item, and u, its interest,
which no column shows:

    p(click | x)            = E_u[p(click | x, u)]
    p(order | do(click), x) = E_u[p(order | x, u)]                                  the truth over the entire space
    p(order | click, x)     = E_u[p(click | x, u) p(order | x, u)] / p(click | x)    the truth of the clicked impressions

At `hidden` 0 the last two are equal. Their difference is the bias that no function of x removes: every objective that fits the
logs perfectly predicts the last.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from pipeline.simulate_affinity import Shop
from pipeline.simulate_shop import Array
from pipeline.simulate_truth import INTEREST

NODES = 24
"""Points of the Gauss-Hermite quadrature over u. Half as many differ by less than 2e-8."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class EntireSpace:
    """(impression,) each.

    Attributes:
        click: p(click | x).
        order: p(order | do(click), x).
        order_given_click: p(order | click, x).
    """

    click: Array
    order: Array
    order_given_click: Array


def entire_space(shop: Shop) -> EntireSpace:
    """The true probabilities of the logged impressions, with the interest integrated out."""
    if shop.hidden == 0.0:
        known = shop.truth
        return EntireSpace(click=known.click, order=known.order_given_click, order_given_click=known.order_given_click)
    points, weights = np.polynomial.hermite_e.hermegauss(NODES)
    click, order, both = (np.zeros(len(shop.logged)) for _ in range(3))
    for point, weight in zip(points, weights / weights.sum(), strict=True):
        chances = shop.truth_of(shop.logged, INTEREST * shop.hidden * point)
        click += weight * chances.click
        order += weight * chances.order_given_click
        both += weight * chances.click * chances.order_given_click
    return EntireSpace(click=click, order=order, order_given_click=both / click)
