"""Manages a recipe's schedule on Kubeflow Pipelines: create, update, pause, resume, run now, delete, list.

Each function yields one line per change. With `dry`, it changes nothing on the server.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from models.recipe.errors import InputError
from models.recipe.recipe import Recipe
from models.recipe.registry import known
from models.recipe.run_day import SCHEDULED, is_macro
from pipeline.kubeflow.schedule_server import ScheduleServer
from pipeline.kubeflow.spec.schedule_plan import (
    Create,
    Delete,
    Disable,
    Enable,
    Found,
    Mark,
    Parameters,
    Step,
    Wish,
    newest,
    plan,
)
from pipeline.kubeflow.spec.section import kubeflow_of

if TYPE_CHECKING:  # importing it loads TFX, which only `create` needs
    from pipeline.kubeflow.compile import Compiled

ROUNDS = 5
"""Maximum number of attempts. More than two are needed only if another process changes the schedule too."""


def wish_of(recipe: Recipe, compiled: Compiled) -> Wish:
    """The recipe's schedule.

    Raises:
        InputError: the recipe has no schedule.
    """
    kubeflow = kubeflow_of(recipe)
    if kubeflow.schedule is None:
        raise InputError(
            "the recipe has no section 'kubeflow.schedule': write schedule: {cron: \"0 3 * * *\"} in its section 'kubeflow', "
            "or pass a file with these keys with --schedule. docs/recipe.md explains every key."
        )
    schedule = kubeflow.schedule
    return Wish(
        recipe=recipe.name,
        name=compiled.name,
        version=compiled.version,
        cron=schedule.cron,
        parameters={**_scheduled_day(compiled), **schedule.parameters.given()},
        pipeline_root=kubeflow.pipeline_root,
        experiment=schedule.experiment or compiled.name,
        service_account=schedule.service_account,
    )


def _scheduled_day(compiled: Compiled) -> Parameters:
    """The day of scheduled runs, unless the schedule names another: Kubeflow replaces macros in a recurring run's own parameters only."""
    return {"day": SCHEDULED} if "day" in compiled.parameters else {}


def create(server: ScheduleServer, wish: Wish, text: str, *, dry: bool, while_running: bool) -> Iterator[str]:
    """Creates or updates the schedule, and completes an interrupted change. A paused schedule stays paused.

    Args:
        server: the server.
        wish: the declared schedule.
        text: the compiled file.
        dry: report the changes without making them.
        while_running: replace the schedule even if a run of the old one is in progress.

    Raises:
        InputError: the server refuses a request, or a run of the old schedule is in progress.
    """
    found = _of_recipe(server, wish)
    pipeline_id = server.pipeline_id(wish.name)
    version_id = None if pipeline_id is None else server.version_id(pipeline_id, wish.version)
    experiment_id = server.experiment_id(wish.experiment)
    if not while_running:
        _refuse_running(server, [one for one in found if Delete(one.id) in plan(found, wish.digest, version_id)])
    would = "would be " if dry else ""
    if pipeline_id is None:
        pipeline_id = None if dry else server.create_pipeline(wish.name, wish.recipe)
        yield f"pipeline {wish.name}: {would}created"
    if version_id is None:
        version_id = None if dry or pipeline_id is None else server.upload(pipeline_id, wish.version, text)
        yield f"version {wish.version}: {would}uploaded"
    if experiment_id is None:
        experiment_id = None if dry else server.create_experiment(wish.experiment)
        yield f"experiment {wish.experiment}: {would}created"
    if not plan(found, wish.digest, version_id):
        yield f"schedule {wish.name}: unchanged"

    def make(step: Create) -> str:
        assert pipeline_id is not None and version_id is not None and experiment_id is not None
        mark = Mark(recipe=wish.recipe, number=step.number, version=wish.version, digest=wish.digest, runs=step.runs)
        return server.create_schedule(wish, mark, step.enabled, pipeline_id, version_id, experiment_id)

    for _ in range(ROUNDS):
        steps = plan(found, wish.digest, version_id)
        yield from _do(server, found, steps, wish.name, make, dry=dry)
        if dry:
            return
        if not steps:
            yield _state(newest(found))
            return
        found = _of_recipe(server, wish)
    raise InputError(
        f"{server.host}: another process changes the schedule {wish.name!r} at the same time. Run the command again."
    )


def set_running(server: ScheduleServer, name: str, runs: bool, *, dry: bool) -> Iterator[str]:
    """Pauses or resumes the schedule, and completes an interrupted change.

    Raises:
        InputError: the schedule does not exist.
    """
    found = _existing(server, name)
    latest = newest(found)
    steps = plan(found, latest.mark.digest, latest.version_id, runs)
    busy = {one.id for one in found if Delete(one.id) in steps and _running(server, [one])}
    now = [step for step in steps if not (isinstance(step, Delete) and step.id in busy)]
    yield from _do(server, found, now, name, _no_making, dry=dry)
    if busy:
        yield f"schedule {name}: an older one stays paused until its run ends; then run the command again"
    if not steps:
        yield f"schedule {name}: is already {'enabled' if runs else 'paused'}"


def delete(server: ScheduleServer, name: str, *, dry: bool, while_running: bool) -> Iterator[str]:
    """Deletes the schedule. The pipeline with its versions, the experiment and the runs stay.

    Raises:
        InputError: the schedule does not exist, or a run of it is in progress.
    """
    found = _existing(server, name)
    if not while_running:
        _refuse_running(server, found)
    yield from _do(server, found, [Delete(one.id) for one in found], name, _no_making, dry=dry)


def run_now(
    server: ScheduleServer, name: str, parameters: Parameters, *, dry: bool, while_running: bool
) -> Iterator[str]:
    """Starts one run of the schedule now. `parameters` override those of the schedule.

    Raises:
        InputError: the schedule does not exist, or a run of its pipeline is in progress.
    """
    yield start_run(server, name, parameters, dry=dry, while_running=while_running)[1]


def start_run(
    server: ScheduleServer, name: str, parameters: Parameters, *, dry: bool, while_running: bool
) -> tuple[str | None, str]:
    """Starts a run as `run_now`, and returns its id (None if `dry`) and what it is, in words."""
    found = _existing(server, name)
    schedule = max(found, key=lambda one: (one.enabled, one.mark.number))
    if not while_running:
        runs = server.runs_in_progress(
            {schedule.experiment_id},
            lambda run: (run.pipeline_version_reference or schedule).pipeline_id == schedule.pipeline_id,
        )
        if runs:
            raise InputError(
                f"{server.host}: run {runs[0]} of {name} is in progress. Two runs at once would share the folders below "
                "kubeflow.root. Wait until it ends, or add --while-running."
            )
    now = datetime.datetime.now(datetime.UTC)
    if is_macro(str(schedule.parameters.get("day", ""))) and "day" not in parameters:
        # Kubeflow does not replace the macros of scheduled runs in a run by hand.
        parameters = {**parameters, "day": now.strftime("%Y-%m-%dT%H:%M:%SZ")}
    given = _words({**schedule.parameters, **parameters})
    if dry:
        return None, f"run of {name}, version {schedule.mark.version}: would be started; {given}"
    run = server.start(schedule, f"{name} by hand {now:%Y-%m-%d %H:%M:%S}", parameters)
    return run, f"run {run} of {name}, version {schedule.mark.version}: started; {given}"


def listed(server: ScheduleServer) -> Iterator[str]:
    """Yields one line per schedule of gatewise on the server, by name."""
    found = sorted(server.schedules(), key=lambda one: (one.name, one.mark.number, one.id))
    for one in found:
        yield _state(one)
    for name in sorted({one.name for one in found if sum(other.name == one.name for other in found) > 1}):
        yield f"{name}: several, because a change was interrupted; to repair it: gatewise schedule create RECIPE"
    if not found:
        yield f"{server.host}: no schedule of gatewise. Create one: gatewise schedule create RECIPE"


def _of_recipe(server: ScheduleServer, wish: Wish) -> list[Found]:
    """The recipe's objects on the server.

    Raises:
        InputError: the pipeline name belongs to another recipe.
    """
    found = server.schedules(wish.name)
    for one in found:
        if one.mark.recipe != wish.recipe:
            raise InputError(
                f"{server.host}: the schedule {wish.name!r} belongs to the recipe {one.mark.recipe!r}, which has the same "
                f"pipeline name as {wish.recipe!r}. Rename one of them."
            )
    return found


def _existing(server: ScheduleServer, name: str) -> list[Found]:
    found = server.schedules(name)
    if not found:
        names = sorted({one.name for one in server.schedules()})
        raise InputError(
            f"{server.host}: no schedule {name!r}; {known(name, names)} Create it: gatewise schedule create RECIPE"
        )
    return found


def _running(server: ScheduleServer, schedules: Sequence[Found]) -> list[str]:
    """Ids of these schedules' runs that are in progress."""
    ids = {one.id for one in schedules}
    return server.runs_in_progress({one.experiment_id for one in schedules}, lambda run: run.recurring_run_id in ids)


def _refuse_running(server: ScheduleServer, schedules: Sequence[Found]) -> None:
    if runs := _running(server, schedules):
        raise InputError(
            f"{server.host}: run {runs[0]} of the schedule {schedules[0].name!r} is in progress. Wait until it ends, or "
            "add --while-running: the run continues without its schedule (Kubeflow Pipelines before 2.16 ends it), and the "
            "next run may overlap with it. Nothing was changed."
        )


def _no_making(step: Create) -> str:
    raise AssertionError("a schedule that is there is not made")


def _do(
    server: ScheduleServer,
    found: Sequence[Found],
    steps: Sequence[Step],
    name: str,
    make: Callable[[Create], str],
    *,
    dry: bool,
) -> Iterator[str]:
    """Executes the steps in order, and yields a line for each."""
    numbers: dict[str | None, int] = {one.id: one.mark.number for one in found}
    made: str | None = None
    for step in steps:
        if isinstance(step, Create):
            numbers[None] = step.number
            made = None if dry else make(step)
            what = "created" if step.enabled else "created, paused"
        elif isinstance(step, Enable):
            if not dry:
                server.enable(step.id or made or "")
            what = "resumed"
        elif isinstance(step, Disable):
            if not dry:
                server.disable(step.id)
            what = "paused"
        else:
            if not dry:
                server.delete(step.id)
            what = "deleted"
        number = step.number if isinstance(step, Create) else numbers[step.id]
        yield f"schedule {name} {number}: {'would be ' if dry else ''}{what}"


def _state(one: Found) -> str:
    """Describes a schedule in one line."""
    return (
        f"{one.name}: {'runs' if one.enabled else 'paused'} at {one.cron!r}, version {one.mark.version}, "
        f"{_words(one.parameters)}; recurring run {one.id}"
    )


def _words(parameters: Mapping[str, object]) -> str:
    given = ", ".join(f"{key}={json.dumps(value)}" for key, value in sorted(parameters.items()))
    return f"parameters {given}" if given else "parameters of the recipe"
