"""The search for the options of one method, with Optuna.

Trial 1 has the recipe's values, so that a search never ends below them on the validate split. The first half of the others draws what
every method has: learning rate, dropout, decays. The second half keeps the best of these and draws the method's own options. A trial that is
not among the best third of those that came as far is stopped (successive halving, asynchronous).

A search is a function of its seed and of the scores: after a kill it runs again from the start, and finished trials answer from
their files.

References:
    Akiba et al., Optuna, KDD 2019, https://doi.org/10.1145/3292500.3330701.
    Li et al., A System for Massively Parallel Hyperparameter Tuning (ASHA), MLSys 2020, https://arxiv.org/abs/1810.05934.
"""

from __future__ import annotations

import dataclasses
import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar

from models.recipe.errors import InputError
from models.recipe.search import Range
from pipeline.comparing.spaces import Space

REDUCTION = 3
"""One of so many trials goes on from each rung."""

FIRST_RUNG = 2
"""Rounds before a trial can be stopped."""

Watch = Callable[[int, float | None], bool]


class Outcome(Protocol):
    """What the search reads of a training."""

    @property
    def score(self) -> float | None:
        """Best validation score: mean over the tasks of the validate loss, relative to that of the constant. Lower is better. None if the
        training failed or measured none."""


Left = TypeVar("Left", bound=Outcome)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Trial(Generic[Left]):
    """A trial: what it changed in the recipe, what it left, and whether it was stopped before its end."""

    changes: Mapping[str, Any]
    outcome: Left
    stopped: bool


def search(space: Space, trials: int, seed: int, run: Callable[[Mapping[str, Any], Watch], Left]) -> list[Trial[Left]]:
    """Runs the trials of a method.

    Args:
        space: where to look.
        trials: number of trials, the first with the recipe's values included.
        seed: seed of the search.
        run: trains with the changes, calls its second argument after each round, and stops if it says True.

    Raises:
        InputError: Optuna is not installed.
    """
    optuna = require_optuna()
    study = optuna.create_study(
        direction="minimize",
        sampler=optuna.samplers.TPESampler(seed=seed, n_startup_trials=max(3, trials // 3)),
        pruner=optuna.pruners.SuccessiveHalvingPruner(min_resource=FIRST_RUNG, reduction_factor=REDUCTION),
    )
    found: list[Trial[Left]] = []
    general = trials // 2 if space.own else trials
    for number in range(trials):
        trial = study.ask()
        best = best_of(found).changes if found else {}
        if number == 0:
            changes: dict[str, Any] = {}
        elif number <= general:
            changes = {key: _drawn(trial, key, range_) for key, range_ in space.general.items()}
        else:
            kept = {key: value for key, value in best.items() if key in space.general}
            changes = kept | {key: _drawn(trial, key, range_) for key, range_ in space.own.items()}
        found.append(_run(optuna, study, trial, changes, run))
    return found


def best_of(trials: Sequence[Trial[Left]]) -> Trial[Left]:
    """The trial with the best score; of equal ones the first. A stopped trial has not shown its best, and does not win over a finished one."""

    def rank(trial: Trial[Left]) -> tuple[bool, bool, float]:
        score = trial.outcome.score
        return score is None, trial.stopped, math.inf if score is None else score

    return min(trials, key=rank)


def _run(optuna: Any, study: Any, trial: Any, changes: Mapping[str, Any], run: Any) -> Trial[Any]:
    stopped = False

    def watch(number: int, score: float | None) -> bool:
        nonlocal stopped
        if score is None or not math.isfinite(score):
            return False
        trial.report(score, step=number + 1)
        stopped = stopped or bool(trial.should_prune())
        return stopped

    outcome = run(changes, watch)
    states = optuna.trial.TrialState
    if outcome.score is None:
        study.tell(trial, state=states.FAIL)
    elif stopped:
        study.tell(trial, state=states.PRUNED)
    else:
        study.tell(trial, outcome.score)
    return Trial(changes=changes, outcome=outcome, stopped=stopped)


def _drawn(trial: Any, key: str, range_: Range) -> Any:
    if range_.choices:
        return trial.suggest_categorical(key, list(range_.choices))
    if range_.integer:
        return trial.suggest_int(key, int(range_.low or 0), int(range_.high or 0), log=range_.log)
    # Six digits are what a recipe shows, and what a copy of it trains with.
    return float(f"{trial.suggest_float(key, range_.low, range_.high, log=range_.log):.6g}")


def require_optuna() -> Any:
    """The module.

    Raises:
        InputError: it is not installed.
    """
    try:
        import optuna
    except ModuleNotFoundError:
        raise InputError("A search needs Optuna, which is not installed: pip install 'gatewise[tune]'.") from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
    return optuna
