"""The search for options: which trials it makes, what stops them, and that it can be run again."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from models.architectures import ARCHITECTURES
from models.balancing import BALANCERS
from models.recipe.errors import InputError
from models.recipe.file import load_recipe
from models.recipe.search import Range
from pipeline.comparing.methods import Method
from pipeline.comparing.searching import Trial, Watch, best_of, search
from pipeline.comparing.selection import Source, selected
from pipeline.comparing.spaces import Space, space_of

RECIPES = Path(__file__).parents[3] / "recipes"
SHOP = Source(file=str(RECIPES / "shop.yaml"))
SPACE = Space(
    general={"rate": Range(low=0.001, high=1.0, log=True)},
    own={"experts": Range(low=2, high=8, integer=True), "gate": Range(choices=("softmax", "sparse"))},
)


@dataclasses.dataclass
class Done:
    score: float | None


def loss(changes: Mapping[str, Any]) -> float:
    """Smallest at rate 0.1, 4 experts and the sparse gate."""
    import math

    return (
        abs(math.log10(changes.get("rate", 0.9)) + 1.0)
        + 0.1 * abs(changes.get("experts", 4) - 4)
        + 0.2 * (changes.get("gate", "sparse") != "sparse")
    )


def found_by(trials: int, seed: int = 1, rounds: int = 6) -> list[Trial[Done]]:
    def run(changes: Mapping[str, Any], watch: Watch) -> Done:
        final = loss(changes)
        for number in range(rounds):
            if watch(number, final + 1.0 / (number + 1)):
                return Done(final + 1.0 / (number + 1))
        return Done(final)

    return search(SPACE, trials, seed, run)


def test_the_first_trial_has_the_recipes_values_then_what_all_have_then_the_methods_own() -> None:
    trials = found_by(9)
    assert [sorted(trial.changes) for trial in trials] == [
        [], *[["rate"]] * 4, *[["experts", "gate", "rate"]] * 4,
    ]  # fmt: skip
    general = best_of(trials[:5])
    assert trials[5].changes["rate"] == general.changes["rate"]
    assert all(0.001 <= trial.changes["rate"] <= 1.0 for trial in trials[1:])
    assert all(trial.changes["experts"] in range(2, 9) for trial in trials[5:])


def test_equal_seeds_find_the_same_and_others_do_not() -> None:
    assert found_by(8) == found_by(8)
    assert found_by(8) != found_by(8, seed=2)


def test_a_search_is_better_than_the_recipes_values_and_stops_what_lags_behind() -> None:
    trials = found_by(30)
    assert best_of(trials).outcome.score < trials[0].outcome.score - 0.2
    stopped = [trial for trial in trials if trial.stopped]
    assert 5 <= len(stopped) < 29 and not trials[0].stopped
    # What was stopped was not better than the best at any time.
    assert min(trial.outcome.score for trial in stopped) > best_of(trials).outcome.score


def test_the_best_trial_has_finished_if_one_has() -> None:
    stopped = Trial(changes={"a": 1}, outcome=Done(0.1), stopped=True)
    failed = Trial(changes={"a": 2}, outcome=Done(None), stopped=False)
    good, equal = (Trial(changes={"a": number}, outcome=Done(0.5), stopped=False) for number in (3, 4))
    assert best_of([stopped, failed, good, equal]) is good
    assert best_of([failed, stopped]) is stopped


def test_failed_trials_are_left_behind() -> None:
    def run(changes: Mapping[str, Any], watch: Watch) -> Done:
        return Done(None) if changes.get("rate", 0.0) > 0.05 else Done(loss(changes))

    trials = search(SPACE, 10, 1, run)
    assert any(trial.outcome.score is None for trial in trials) and best_of(trials).outcome.score is not None


@pytest.mark.parametrize("architecture", list(ARCHITECTURES))
def test_every_architecture_has_a_space_of_values_that_the_recipe_takes(architecture: str) -> None:
    space = space_of(selected(SHOP, Method(architecture, "dcn_v2"), {}))
    assert {"training.learning_rate", "training.embedding_decay", "training.weight_decay"} <= set(space.general)
    weights = {f"tasks.{task}.weight" for task in ("cart", "order", "order_value")}
    assert (weights <= set(space.own)) == (architecture != "single_task")
    check(Method(architecture, "dcn_v2"), space)


@pytest.mark.parametrize("balancer", list(BALANCERS))
def test_every_balancer_too(balancer: str) -> None:
    space = space_of(selected(SHOP, Method("mmoe", "none", balancer), {}))
    assert any(key.startswith("tasks.") for key in space.own) == (balancer == "fixed")
    check(Method("mmoe", "none", balancer), space)


def check(method: Method, space: Space) -> None:
    for ends in ("low", "high"):
        changes = {
            key: range_.choices[0 if ends == "low" else -1]
            if range_.choices
            else (int if range_.integer else float)(getattr(range_, ends))
            for key, range_ in {**space.general, **space.own}.items()
        }
        selected(SHOP, method, changes)


def test_the_recipe_sets_ranges_of_its_own(tmp_path: Path) -> None:
    text = (RECIPES / "shop.yaml").read_text() + (
        "search:\n"
        "  training.learning_rate: {low: 0.01, high: 0.02}\n"
        "  training.batch_size: {choices: [256, 512]}\n"
        "  model.options.mmoe.experts: {low: 2, high: 3, integer: true}\n"
        "  model.options.ple.levels: {low: 1, high: 2, integer: true}\n"
    )
    (tmp_path / "shop.yaml").write_text(text)
    space = space_of(load_recipe(tmp_path / "shop.yaml"))
    assert space.general["training.learning_rate"] == Range(low=0.01, high=0.02)
    assert space.general["training.batch_size"].choices == (256, 512)
    assert space.own["model.options.mmoe.experts"].high == 3
    assert "model.options.ple.levels" not in space.own


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("{low: 1}", "expected `low` below `high`, or `choices`"),
        ("{low: 2, high: 1}", "expected `low` below `high`, or `choices`"),
        ("{low: 0, high: 1, log: true}", "expected `low` above 0 for a logarithmic interval"),
        ("{low: 1, high: 2.5, integer: true}", "expected whole numbers"),
        ("{low: 1, high: 2, choices: [1]}", "expected either `choices`, or `low` and `high`"),
    ],
)
def test_a_range_that_is_none_is_refused_by_its_key(written: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as refused:
        load_recipe(RECIPES / "shop.yaml", [f"search={{training.learning_rate: {written}}}"])
    assert "training.learning_rate" in str(refused.value)
