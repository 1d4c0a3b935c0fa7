"""Examples of the simulated shop in memory, with the true probability of an order for every impression.

No stage runs: the columns are the simulator's arrays, and the labels its outcomes. They are those of the logs without dirt, with
all windows closed. The features are those of entire_space.yaml: no user id, and nothing of the interest.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline import simulate_shop as shop_of
from pipeline.simulate_affinity import Shop
from pipeline.simulate_entire_space import EntireSpace, entire_space
from pipeline.simulate_events import outcomes
from pipeline.simulate_shop import Array, Traffic, random

TASKS = ("click", "order")
SHARES = {"train": 0.6, "validate": 0.1, "eval": 0.3}
"""Parts of the log, in the order of time."""
WIDE, NARROW = 8, 4
AGES = np.arange(20, 70, 5)
PRICE_LEVELS = 12
LABELS = ("logs", "unclicked_as_negatives", "all_clicked")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Rows:
    """The impressions of a shop.

    Attributes:
        layout: feature layout.
        arrays: {packed column: (impression, width)}.
        clicked: (impression,), whether it was clicked.
        ordered: (impression,), whether it was clicked and ordered.
        would_order: (impression,), whether it has an order if every impression is clicked. Of clicked ones: `ordered`.
        space: the true probabilities.
    """

    layout: Any
    arrays: dict[str, Array]
    clicked: NDArray[np.bool_]
    ordered: NDArray[np.bool_]
    would_order: NDArray[np.bool_]
    space: EntireSpace

    def part(self, *splits: str) -> slice:
        """The impressions of a split, or of several that follow each other."""
        ends = np.round(np.cumsum([0.0, *SHARES.values()]) * len(self.clicked)).astype(int)
        places = [list(SHARES).index(split) for split in splits]
        return slice(int(ends[min(places)]), int(ends[max(places) + 1]))

    def columns(self, part: slice, labels: str) -> Any:
        """Impressions as training reads them.

        Args:
            part: the impressions.
            labels: one of LABELS. `logs`: the order is observed if the impression was clicked. `unclicked_as_negatives`: always,
                and 0 if not clicked. `all_clicked`: always, as if every impression had been clicked.
        """
        from models.features.input_pipeline import Columns

        order = {"logs": self.ordered, "unclicked_as_negatives": self.ordered, "all_clicked": self.would_order}[labels]
        observed = self.clicked if labels == "logs" else np.ones_like(self.clicked)
        targets, weights = (
            np.stack(pair, axis=1)[part].astype(np.float32)
            for pair in ((self.clicked, order), (np.ones_like(self.clicked), observed))
        )
        arrays = {name: values[part] for name, values in self.arrays.items()}
        return Columns(arrays, targets, weights, np.arange(len(targets)), TASKS)


def rows_of(impressions: int, seed: int, conflict: float, hidden: float) -> Rows:
    """The impressions of a shop; the arguments are those of `pipeline.simulate.simulate`."""
    shop = Shop(impressions, seed, conflict, hidden=hidden)
    events = outcomes(shop.logged, shop.truth, seed)
    clicked, ordered = (np.zeros(impressions, bool) for _ in range(2))
    clicked[events["clicks"]["impression"]] = True
    ordered[events["orders"]["impression"]] = True
    drawn = random(seed, 7).random(impressions) < shop.truth.order_given_click
    layout, arrays = _packed(shop.logged)
    return Rows(
        layout=layout,
        arrays=arrays,
        clicked=clicked,
        ordered=ordered,
        would_order=np.where(clicked, ordered, drawn),
        space=entire_space(shop),
    )


def _packed(shown: Traffic) -> tuple[Any, dict[str, Array]]:
    """The layout, and the columns by it. Id 0 is a missing value."""
    from models.features.layout import FeatureLayout

    price, rating, age = (shown.numbers[name] for name in ("price", "rating", "age"))
    levels = np.quantile(price, np.linspace(0.0, 1.0, PRICE_LEVELS + 1)[1:-1])
    items = len(shown.population.item_tags)
    categorical = {  # ids, number of ids, width
        "segment": (shown.codes["segment"] + 1, len(shop_of.SEGMENTS) + 1, WIDE),
        "country": (shown.codes["country"] + 1, len(shop_of.COUNTRIES) + 1, WIDE),
        "age": (np.where(np.isnan(age), 0, 1 + np.searchsorted(AGES, age, side="right")), len(AGES) + 2, WIDE),
        "item_id": (shown.item + 1, items + 1, NARROW),
        "category": (shown.codes["category"] + 1, len(shop_of.CATEGORIES) + 1, WIDE),
        "brand": (shown.codes["brand"] + 1, shop_of.BRANDS + 1, NARROW),
        "price_level": (1 + np.searchsorted(levels, price, side="right"), PRICE_LEVELS + 1, NARROW),
        "device": (shown.codes["device"] + 1, len(shop_of.DEVICES) + 1, WIDE),
        "position": (shown.codes["position"], shop_of.POSITIONS + 1, WIDE),
        "hour": (shown.codes["hour"] + 1, 25, NARROW),
    }
    numbers = {"price": np.log1p(price), "rating": rating}
    numeric = []
    for values in numbers.values():
        known = np.nan_to_num(values, nan=float(np.nanmean(values)))
        numeric += [(known - known.mean()) / known.std(), np.isnan(values)]
    layout = FeatureLayout(
        tables={name: (count, dim) for name, (_, count, dim) in categorical.items()}
        | {"tags": (shop_of.TAGS + 1, WIDE)},
        categorical=tuple((name, name) for name in categorical),
        multivalued={"tags": ("tags", "mean", shop_of.MAX_TAGS)},
        numeric=tuple(column for name in numbers for column in (name, f"{name}_missing")),
    )
    return layout, {
        "categorical": np.stack([ids for ids, _, _ in categorical.values()], axis=1).astype(np.int32),
        "multivalued/tags": _tag_lists(shown.population.item_tags)[shown.item],
        "numeric": np.stack(numeric, axis=1).astype(np.float32),
    }


def _tag_lists(item_tags: Array) -> Array:
    """(item, MAX_TAGS): ids of the tags of each item, padded with -1."""
    ids = np.where(item_tags, np.arange(1, item_tags.shape[1] + 1), 0)
    first = -np.sort(-ids, axis=1)[:, : shop_of.MAX_TAGS]
    return np.where(first > 0, first, -1).astype(np.int32)
