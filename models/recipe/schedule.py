"""The section `kubeflow.schedule` of a recipe: times and parameters of scheduled runs."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from models.recipe.cron import Cron
from models.recipe.kubernetes_names import Object, matches
from models.recipe.run_day import SCHEDULED, RunDay
from models.recipe.section import Number, Section
from models.recipe.units import Moment

LARGEST_SEED = 2**32 - 1


Experiment = Annotated[
    str, matches(r"\S(.{0,126}\S)?", "the name of an experiment: 1 to 128 characters, no blanks at either end")
]


class RunParameters(Section):
    """Values that may change from run to run. A key that is left out has the recipe's value; `epochs` and `seed` belong to `training`."""

    as_of: Moment | Literal["latest"] | None = Field(
        default=None,
        description="Moment up to which the logs are complete, as in `logs`.",
        examples=["2026-01-15T00:00:00Z"],
    )
    day: RunDay | None = Field(
        default=None,
        description="With `logs.span`: the newest day to read. `[[ScheduledTime]]`, the default of a schedule: the newest day that has ended at "
        "the moment for which the run is scheduled. `latest`: the newest day of which every stream has a file. For a run by hand also a "
        "day, or the moment before which the day has ended.",
        examples=[SCHEDULED],
    )
    epochs: Annotated[int, Field(ge=1), Number] | None = Field(
        default=None, description="Maximum number of passes over the train split.", examples=[3]
    )
    seed: Annotated[int, Field(ge=0, le=LARGEST_SEED), Number] | None = Field(
        default=None, description="Seed of the training.", examples=[7]
    )
    push: Annotated[bool, Field(strict=True)] | None = Field(
        default=None, description="Whether to push a blessed model.", examples=[False]
    )

    def given(self) -> dict[str, str | int | bool]:
        """The values that are set, in Kubeflow's format."""
        return self.model_dump(mode="json", exclude_none=True)


class Schedule(Section):
    """When the pipeline runs by itself. `gatewise schedule create` creates the recurring run on Kubeflow Pipelines.

    Only one run is active at a time. After a pause or an outage one run starts, not one for each missed run.
    """

    cron: Cron = Field(
        description="When a run starts, as in a crontab: minute, hour, day of the month, month, day of the week. A sixth "
        "field in front is the second. The time zone is that of the cluster's ml-pipeline-scheduledworkflow (its "
        "variable CRON_SCHEDULE_TIMEZONE), by default UTC.",
        examples=["0 3 * * *"],
    )
    parameters: RunParameters = Field(
        default=RunParameters(),
        description="Values that the scheduled runs use instead of the recipe's.",
        examples=[{"epochs": 3, "push": False}],
    )
    experiment: Experiment | None = Field(
        default=None,
        description="Experiment of the runs; it is created if it does not exist. By default it has the name of the pipeline.",
        examples=["nightly"],
    )
    service_account: Object | None = Field(
        default=None,
        description="Kubernetes service account of the pods. By default Kubeflow's own.",
        examples=["pipeline-runner"],
    )
