"""True value of every item of the simulated shop for a user, including items never shown. Used to evaluate ranked lists.

The value is the recipe's `serving.score` over the true probabilities instead of the model's predictions.
"""

from __future__ import annotations

import abc
import dataclasses
from collections.abc import Callable

import numpy as np

from models.recipe.errors import InputError
from models.recipe.formula import evaluate, names, parse
from models.recipe.recipe import Recipe
from pipeline.simulate_events import outcomes
from pipeline.simulate_shop import DAY_MS, START_MS, Array, Traffic, traffic
from pipeline.simulate_truth import Constants, Truth, interests, truth

TOP = 1
"""The position at which all items are compared."""

CELLS = 1 << 18
"""Number of (user, item) pairs in memory at once, with about 40 numbers each."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Visits:
    """Visits of users who request a list. All arrays are (visit,).

    Attributes:
        user: numbers of the users.
        device: indices into the devices.
        time: milliseconds since 1970, UTC. Only the hour is used.
    """

    user: Array
    device: Array
    time: Array

    def __len__(self) -> int:
        return len(self.user)


class Offers(abc.ABC):
    """Values of all items of a shop for its users.

    Attributes:
        logged: the impressions in its logs.
        truth: true probabilities of these impressions, at the interest of each.
    """

    logged: Traffic
    truth: Truth

    @abc.abstractmethod
    def truth_of(self, shown: Traffic, interest: float = 0.0) -> Truth:
        """True probabilities of unlogged impressions of this shop's users and items, at an interest; by default its mean."""

    def on_sale(self) -> Array:
        """Rising numbers of the items that can be shown."""
        return np.arange(len(self.logged.population.item_tags))

    def last_visits(self, users: Array) -> Visits:
        """One visit per user, with the device and time of the user's last impression.

        Args:
            users: (visit,) numbers of users with at least one impression.
        """
        last = np.full(len(self.logged.population.users["segment"]), -1)
        # Later assignments overwrite earlier ones, and the impressions are sorted by time.
        last[self.logged.user] = np.arange(len(self.logged))
        seen = last[users]
        return Visits(user=users, device=self.logged.codes["device"][seen], time=self.logged.time[seen])

    def page(self, visits: Visits, items: Array) -> Traffic:
        """Impressions of every item for every visit in the first position: (visit * item,), items vary fastest."""
        shape = (len(visits), len(items))
        user, device, time = (
            np.broadcast_to(values[:, None], shape).ravel() for values in (visits.user, visits.device, visits.time)
        )
        item = np.broadcast_to(items, shape).ravel()
        return self.logged.population.impressions(time, user, item, device, np.full(len(item), TOP))

    def values(self, visits: Visits, items: Array, score: Callable[[Truth], Array], cells: int = CELLS) -> Array:
        """The true value of each item for each visitor.

        Args:
            visits: the visits.
            items: (item,) numbers of items.
            score: maps true probabilities to a value, see `true_score`.
            cells: number of pairs in memory at once. Does not change the result.

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


class Shop(Offers):
    """The simulated shop that `simulate` writes for the same arguments, without dirt.

    Attributes:
        hidden: as for `simulate`.
    """

    def __init__(self, impressions: int, seed: int, conflict: float = 0.0, days: int = 14, hidden: float = 0.0) -> None:
        self._seed, self._conflict, self._end = seed, conflict, START_MS + days * DAY_MS
        self._constants = Constants()
        self.hidden = hidden
        self.logged = traffic(impressions, seed, days)
        interest = interests(len(self.logged), seed, hidden)
        self.truth = truth(self.logged, seed, conflict, self._constants, interest)

    def truth_of(self, shown: Traffic, interest: float = 0.0) -> Truth:
        """True probabilities of unlogged impressions of this shop's users and items, at an interest; by default its mean."""
        return truth(shown, self._seed, self._conflict, self._constants, interest)

    def clicks(self) -> Array:
        """Indices into `logged` of impressions with a click before the end of the log, sorted by time."""
        clicks = outcomes(self.logged, self.truth, self._seed)["clicks"]
        return np.sort(clicks["impression"][clicks["time"] < self._end])


def true_score(recipe: Recipe) -> Callable[[Truth], Array]:
    """The recipe's `serving.score` as a function of the true probabilities. For recipes/shop.yaml:

        click * (1 + cart + margin * order * order_value)

    As in the ranker, cart and order are probabilities conditioned on a click, and order_value is conditioned on an order. The
    score is the expected value of an impression.

    Raises:
        InputError: the recipe has no score, or `evaluation.truth` lacks one of its tasks or has an unknown column.
    """
    known = recipe.evaluation.truth.columns if recipe.evaluation.truth else {}
    if recipe.serving.score is None:
        raise InputError("serving.score: missing in the recipe; expected the formula that ranks its pages.")
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
