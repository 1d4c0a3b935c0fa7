"""The steps to one schedule: from any state, after any interruption, and never two that run."""

from __future__ import annotations

import dataclasses
import itertools

import hypothesis
from hypothesis import strategies

from pipeline.kubeflow.spec.schedule_plan import (
    Create,
    Delete,
    Disable,
    Enable,
    Found,
    Mark,
    Step,
    Wish,
    is_to_run,
    mark_of,
    plan,
)

NEW, OLD = "aaaaaaaaaaaa", "bbbbbbbbbbbb"


def found(
    id: str, number: int, digest: str = NEW, *, enabled: bool = True, runs: bool = True, version: str = "v"
) -> Found:
    mark = Mark(recipe="shop", number=number, version="0123abc", digest=digest, runs=runs)
    return Found(
        id=id, name="shop", mark=mark, enabled=enabled, pipeline_id="p", version_id=version, experiment_id="e",
        cron="0 0 3 * * *", parameters={}, pipeline_root=None, service_account=None,
    )  # fmt: skip


def after(state: list[Found], step: Step, made: list[str], digest: str = NEW) -> list[Found]:
    """The state after a step, as the server takes it."""
    match step:
        case Create(number, enabled, runs):
            made.append(f"made {number} {len(made)}")
            return [*state, found(made[-1], number, digest, enabled=enabled, runs=runs)]
        case Enable(id):
            assert id is not None or made
            return [dataclasses.replace(one, enabled=one.enabled or one.id == (id or made[-1])) for one in state]
        case Disable(id):
            return [dataclasses.replace(one, enabled=one.enabled and one.id != id) for one in state]
        case Delete(id):
            return [one for one in state if one.id != id]


def test_nothing_there() -> None:
    assert plan([], NEW, "v") == [Create(1, enabled=True, runs=True)]


def test_all_as_wished() -> None:
    assert plan([found("a", 1)], NEW, "v") == []


def test_a_change_makes_the_new_one_first_and_lets_it_run_last() -> None:
    assert plan([found("a", 4, OLD)], NEW, "v") == [
        Create(5, enabled=False, runs=True),
        Disable("a"),
        Enable(None),
        Delete("a"),
    ]


def test_the_same_declaration_over_a_pipeline_that_was_made_again_is_a_change() -> None:
    assert Create(2, enabled=False, runs=True) in plan([found("a", 1, version="gone")], NEW, "v")


def test_a_paused_schedule_stays_paused_over_a_change() -> None:
    steps = plan([found("a", 1, OLD, enabled=False)], NEW, "v")
    assert steps == [Create(2, enabled=False, runs=False), Delete("a")]
    assert plan([found("a", 1, enabled=False)], NEW, "v") == []


def test_pause_and_resume() -> None:
    assert plan([found("a", 1)], NEW, "v", runs=False) == [Disable("a")]
    assert plan([found("a", 1, enabled=False)], NEW, "v", runs=True) == [Enable("a")]
    assert plan([found("a", 1)], NEW, "v", runs=True) == []


STATES = strategies.lists(
    strategies.builds(
        found,
        strategies.uuids().map(str),
        strategies.integers(1, 3),
        strategies.sampled_from([NEW, OLD]),
        enabled=strategies.booleans(),
        runs=strategies.booleans(),
        version=strategies.sampled_from(["v", "w"]),
    ),
    max_size=4,
    unique_by=lambda one: one.id,
)


@hypothesis.given(
    STATES, strategies.sampled_from([None, True, False]), strategies.lists(strategies.integers(0, 5), max_size=3)
)
def test_from_any_state_and_over_interruptions_to_the_one_that_is_wished_for(
    state: list[Found], runs: bool | None, stops: list[int]
) -> None:
    made: list[str] = []
    wanted = is_to_run(state) if runs is None else runs
    most = max(1, sum(one.enabled for one in state))
    for stop in [*stops, 99]:
        for step in itertools.islice(plan(state, NEW, "v", runs), stop):
            before = sum(one.enabled for one in state)
            state = after(state, step, made)
            enabled = sum(one.enabled for one in state)
            assert enabled <= most and (enabled <= 1 or enabled <= before)
    (only,) = state
    assert (only.mark.digest, only.version_id, only.enabled) == (NEW, "v", wanted)
    assert plan(state, NEW, "v", runs) == []


def test_a_mark_comes_back_and_other_descriptions_are_none() -> None:
    for number, runs in ((1, True), (12, False)):
        mark = Mark(recipe="my_shop", number=number, version="0123456789ab", digest=NEW, runs=runs)
        assert mark_of(mark.text()) == mark
    assert mark_of(None) is mark_of("") is mark_of("nightly, ask Ann") is None


def test_the_digest_names_every_part_of_the_wish() -> None:
    wish = Wish(
        recipe="shop", name="shop", version="1", cron="0 0 3 * * *", parameters={"seed": 1, "push": True},
        pipeline_root="s3://a", experiment="shop", service_account=None,
    )  # fmt: skip
    other = {"version": "2", "cron": "0 0 4 * * *", "parameters": {"seed": 2, "push": True}, "pipeline_root": "s3://b"}
    other |= {"experiment": "x", "service_account": "y", "recipe": "z", "name": "z"}
    assert set(other) == {field.name for field in dataclasses.fields(Wish)}
    digests = {wish.digest, *(dataclasses.replace(wish, **{key: value}).digest for key, value in other.items())}
    assert len(digests) == 1 + len(other)
    assert dataclasses.replace(wish, parameters={"push": True, "seed": 1}).digest == wish.digest
