"""The section `training.distill` of a recipe."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from models.recipe.section import Number, Section

BLESSED = "blessed"


class Distill(Section):
    """Distillation: the model learns from the labels and from the predictions of a teacher.

    The label of a train example becomes (1 - share) * label + share * prediction. The validate and eval splits keep their labels.
    """

    teacher: str = Field(
        description="Whom the model learns from. `blessed`: the newest model that was blessed before the examples of this run were "
        "made. If there is none, or if it reads columns that are gone, the model learns from its labels alone, and the log says so. "
        "Otherwise an architecture, by a name from the table [Architectures](#architectures) or the dotted path of a [class of your "
        "own](#methods-of-your-own). It is trained first, on the same examples and features, with the backbone, regularizers and "
        "training options of the model and the next seed. It is not exported.",
        examples=["ple"],
    )
    options: Mapping[str, Mapping[str, Any]] = Field(
        default={},
        description="Options by architecture. An architecture that is not listed here has those of `model.options`.",
        examples=[{"ple": {"units": [512, 256]}}],
    )
    balancer: str | None = Field(
        default=None,
        description="Balancer of the teacher, with its options from `model.balancer_options`. By default `model.balancer`.",
        examples=["fixed"],
    )
    share: Annotated[float, Field(ge=0.0, le=1.0), Number] = Field(
        default=0.5,
        description="How much the prediction of the teacher counts: 0 is the label alone, 1 the teacher alone.",
    )
    tasks: tuple[str, ...] | None = Field(
        default=None,
        min_length=1,
        description="The tasks that learn from the teacher: main tasks whose loss is linear in the label (see "
        "[Losses](#losses)). By default all of these; the others learn from their labels alone.",
        examples=[["click"]],
    )
    unobserved: bool = Field(
        default=False,
        description="Also learn from the teacher on train examples on which the task is not observed, but another task is: the label "
        "is the prediction, with `share` times the weight of the example. A task with `conditioned_on` then learns on all "
        "examples, also where its condition does not hold.",
    )
