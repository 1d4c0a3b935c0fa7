"""The section `kubeflow.schedule` of a recipe: when the pipeline runs on its own, and with what."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from models.recipe.cron import Cron
from models.recipe.kubernetes_names import Object, matches
from models.recipe.section import Number, Section
from models.recipe.units import Moment

LARGEST_SEED = 2**32 - 1


Experiment = Annotated[
    str, matches(r"\S(.{0,126}\S)?", "the name of an experiment: 1 to 128 characters, no blanks around them")
]


class RunParameters(Section):
    """What can be changed from run to run. What is left out is as in the recipe; `epochs` and `seed` are of `training`."""

    as_of: Moment | Literal["latest"] | None = Field(
        default=None, description="As in `logs`.", examples=["2026-01-15T00:00:00Z"]
    )
    epochs: Annotated[int, Field(ge=1), Number] | None = Field(
        default=None, description="Most passes over the train split.", examples=[3]
    )
    seed: Annotated[int, Field(ge=0, le=LARGEST_SEED), Number] | None = Field(
        default=None, description="Seed of the training.", examples=[7]
    )
    push: Annotated[bool, Field(strict=True)] | None = Field(
        default=None, description="Whether a blessed model is pushed.", examples=[False]
    )

    def given(self) -> dict[str, str | int | bool]:
        """The values that are not left out, as Kubeflow takes them."""
        return self.model_dump(mode="json", exclude_none=True)


class Schedule(Section):
    """When the pipeline runs on its own: `gatewise schedule create` puts it on Kubeflow Pipelines.

    One run at a time, and after a pause or an outage one run, not one for each that was missed.
    """

    cron: Cron = Field(
        description="When a run begins: minute, hour, day of the month, month, day of the week, as in a crontab (six fields "
        "begin with the second). In the time zone of the cluster's ml-pipeline-scheduledworkflow, its variable "
        "CRON_SCHEDULE_TIMEZONE; UTC where nobody set it.",
        examples=["0 3 * * *"],
    )
    parameters: RunParameters = Field(
        default=RunParameters(),
        description="What its runs do otherwise than the recipe says.",
        examples=[{"epochs": 3, "push": False}],
    )
    experiment: Experiment | None = Field(
        default=None,
        description="Experiment that holds the runs, made where there is none; by default of the pipeline's name.",
        examples=["nightly"],
    )
    service_account: Object | None = Field(
        default=None,
        description="Kubernetes service account of the pods; by default Kubeflow's own.",
        examples=["pipeline-runner"],
    )
