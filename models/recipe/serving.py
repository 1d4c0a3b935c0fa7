"""The section `serving` of a recipe: the score, the probe and the push."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from models.recipe.section import Name, Number, Real, Section


class Serving(Section):
    """What is pushed."""

    model_name: Name | None = Field(
        default=None, description="Folder of the pushed versions; by default the recipe's name."
    )
    probe_requests: Annotated[int, Field(ge=1, le=1000), Number] = Field(
        default=20, description="Real requests that the exported model must answer before it may be pushed."
    )
    tolerance: Annotated[float, Field(gt=0.0), Number] = Field(
        default=1e-5, description="Largest allowed difference between a served prediction and the trainer's."
    )
    score: str | None = Field(
        default=None,
        description="The number that the signature `rank` orders the candidates by: a formula of tasks, numbers, "
        "`weights`, `+ - *`, `^` for powers, `/` by numbers, and parentheses. By default the first task. It lies in the "
        "exported model: another formula trains again, another value of a tunable weight does not.",
        examples=["click * (0.3 + order) ^ 0.5 + 0.1 * cart"],
    )
    weights: Mapping[Name, Real] = Field(
        default={}, description="Numbers with a name, to use in `score`.", examples=[{"taste": 0.5}]
    )
    tunable_weights: bool = Field(
        default=False,
        description="Makes each of the `weights` an optional input of the signature `rank`, so that a request may try "
        "another value; the one here is its default.",
        examples=[True],
    )
    page: Annotated[int, Field(ge=1, le=10_000), Number] = Field(
        default=500, description="Candidates of the `rank` request whose time and answer the probe measures."
    )
    max_latency_ms: Annotated[float, Field(gt=0.0), Number] | None = Field(
        default=None,
        description="Longest time that the exported model may take for 99 of 100 `rank` requests of `page` candidates, in "
        "the probe's own process. Beyond it the model is not pushed.",
        examples=[50.0],
    )
    max_size_mib: Annotated[float, Field(gt=0.0), Number] | None = Field(
        default=None, description="Largest size of the exported model's files together.", examples=[2048.0]
    )
    keep_versions: Annotated[int, Field(ge=2), Number] | None = Field(
        default=None,
        description="How many of the newest pushed versions a push keeps; it removes older ones, a ranker and its retrieval "
        "model together. What was pushed just now, and what `gatewise serving-config` has chosen, always stays. By default "
        "nothing is removed.",
        examples=[10],
    )
