"""What each item of the simulated shop is truly worth to a user, also where nobody saw it: what a list of items can be
held against.

The value is the recipe's `serving.score` over the true probabilities instead of the model's predictions of them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from models.recipe.errors import InputError
from models.recipe.formula import evaluate, names, parse
from models.recipe.recipe import Recipe
from pipeline.simulate_events import outcomes
from pipeline.simulate_shop import DAY_MS, START_MS, Array, Traffic, traffic
from pipeline.simulate_truth import Constants, Truth, truth

TOP = 1
"""The position that all items are compared at."""

CELLS = 1 << 18
"""Pairs of a user and an item that are in memory at once, some 40 numbers each."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Visits:
    """Users who ask for a list, and where and when they do: (visit,) each.

    Attributes:
        user: their numbers.
        device: indices into the devices.
        time: milliseconds since 1970, UTC; of it only the hour counts.
    """

    user: Array
    device: Array
    time: Array

    def __len__(self) -> int:
        return len(self.user)


class Shop:
    """A simulated shop, the same as `simulate` writes for the same arguments, without dirt.

    Attributes:
        logged: the impressions in its logs.
        truth: of these.
    """

    def __init__(self, impressions: int, seed: int, conflict: float = 0.0, days: int = 14) -> None:
        self._seed, self._conflict, self._end = seed, conflict, START_MS + days * DAY_MS
        self._constants = Constants()
        self.logged = traffic(impressions, seed, days)
        self.truth = truth(self.logged, seed, conflict, self._constants)

    def truth_of(self, shown: Traffic) -> Truth:
        """The true probabilities of impressions that nobody logged, of users and items of this shop."""
        return truth(shown, self._seed, self._conflict, self._constants)

    def clicks(self) -> Array:
        """Impressions with a click before the end of the log, in order of time: indices into `logged`."""
        clicks = outcomes(self.logged, self.truth, self._seed)["clicks"]
        return np.sort(clicks["impression"][clicks["time"] < self._end])

    def last_visits(self, users: Array) -> Visits:
        """Each user once more where and when they last saw something.

        Args:
            users: (visit,) numbers of users, each with an impression.
        """
        last = np.full(len(self.logged.population.users["segment"]), -1)
        # Of several values for one place the last one stays, and the impressions are in order of time.
        last[self.logged.user] = np.arange(len(self.logged))
        seen = last[users]
        return Visits(user=users, device=self.logged.codes["device"][seen], time=self.logged.time[seen])

    def page(self, visits: Visits, items: Array) -> Traffic:
        """Every one of the items shown to every visitor in the first position: (visit times item,), item by item for each."""
        shape = (len(visits), len(items))
        user, device, time = (
            np.broadcast_to(values[:, None], shape).ravel() for values in (visits.user, visits.device, visits.time)
        )
        item = np.broadcast_to(items, shape).ravel()
        return self.logged.population.impressions(time, user, item, device, np.full(len(item), TOP))

    def values(self, visits: Visits, items: Array, score: Callable[[Truth], Array], cells: int = CELLS) -> Array:
        """The true value of each item for each visitor.

        Args:
            visits: who asks.
            items: (item,) numbers of items.
            score: the value of a true probability, see `true_score`.
            cells: pairs in memory at once; what comes out does not depend on it.

        Returns:
            (visit, item) float64.
        """
        found = np.empty((len(visits), len(items)))
        step = max(1, cells // max(len(items), 1))
        for start in range(0, len(visits), step):
            part = slice(start, start + step)
            few = Visits(user=visits.user[part], device=visits.device[part], time=visits.time[part])
            found[part] = score(self.truth_of(self.page(few, items))).reshape(len(few), len(items))
        return found


def true_score(recipe: Recipe) -> Callable[[Truth], Array]:
    """The recipe's `serving.score` as a function of the truth: for recipes/shop.yaml

        click * (1 + cart + margin * order * order_value)

    where, as for the ranker, cart and order are probabilities given a click, and the value is that of an order if there is
    one: what an impression is worth in the mean.

    Raises:
        InputError: the recipe has no score, or `evaluation.truth` lacks a task of it or names no column of the simulator's.
    """
    known = recipe.evaluation.truth.columns if recipe.evaluation.truth else {}
    if recipe.serving.score is None:
        raise InputError("serving.score: the recipe has none; expected the formula that its pages are ranked by.")
    weights = {name: np.float64(value) for name, value in recipe.serving.weights.items()}
    formula = parse(recipe.serving.score, recipe.tasks, weights)
    columns = {task: known.get(task) for task in names(formula) - set(weights)}
    if missing := sorted(task for task, column in columns.items() if column is None):
        raise InputError(
            f"evaluation.truth.columns: expected the true column of each task in serving.score, missing: {', '.join(missing)}."
        )

    def score(chances: Truth) -> Array:
        found = chances.columns()
        values: Array = evaluate(
            formula, {**weights, **{task: found[str(column)] for task, column in columns.items()}}, np.float64
        )
        return values

    return score
