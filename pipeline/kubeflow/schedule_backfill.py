"""`gatewise schedule run-now NAME --days A..B`: a run of the schedule for each day, one after the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

from models.recipe.errors import InputError
from pipeline.kubeflow.schedule import start_run
from pipeline.kubeflow.schedule_server import IN_PROGRESS, ScheduleServer
from pipeline.kubeflow.spec.schedule_plan import Parameters

POLL = 15.0
"""Seconds between two questions whether a run has ended."""


def backfill(
    server: ScheduleServer,
    name: str,
    days: Sequence[str],
    parameters: Parameters,
    *,
    dry: bool,
    while_running: bool,
    wait: Callable[[float], None] = time.sleep,
) -> Iterator[str]:
    """Runs the days in order: each goes on from the model of the one before. A run that fails ends the backfill.

    A model that is not blessed is no failure of its run.

    Args:
        server: the server.
        name: name of the schedule.
        days: the days, the oldest first.
        parameters: those of each run other than `day`.
        dry: report the runs without starting them.
        while_running: start the first even if a run is in progress.
        wait: sleeps for so many seconds.

    Yields:
        Lines: two for each day.

    Raises:
        InputError: the schedule does not exist, a run of its pipeline is in progress, or a run has failed.
    """
    for number, day in enumerate(days):
        run, said = start_run(
            server, name, {**parameters, "day": day}, dry=dry, while_running=while_running and not number
        )
        yield said
        if run is None:
            continue
        while (state := server.run_state(run)) in IN_PROGRESS:
            wait(POLL)
        yield f"run {run} of {day}: {state.lower()}"
        if state != "SUCCEEDED":
            later = f" Then go on: --days {day}..{days[-1]}."
            raise InputError(
                f"{server.host}: run {run} of {day} ended with {state}; later days were not run. Its steps tell why, in Kubeflow's pages.{later}"
            )
