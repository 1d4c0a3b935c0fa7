"""The section `serving` of a recipe: the score, the probe and the push."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from models.recipe.section import Name, Number, Real, Section


class Serving(Section):
    """The score of a ranking, the probe of the exported model and the push."""

    model_name: Name | None = Field(
        default=None, description="Folder of the pushed versions. By default the name of the recipe."
    )
    probe_requests: Annotated[int, Field(ge=1, le=1000), Number] = Field(
        default=20, description="Number of real requests that the exported model must answer before the push."
    )
    tolerance: Annotated[float, Field(gt=0.0), Number] = Field(
        default=1e-5, description="Largest allowed difference between a served prediction and the trainer's prediction."
    )
    score: str | None = Field(
        default=None,
        description="Score by which the signature `rank` orders the candidates: a formula of tasks, numbers, `weights`, `+ - "
        "*`, `^` for powers, `/` by numbers, and parentheses. By default the first task. The formula is part of "
        "the exported model: a new formula trains the model again, a new value of a tunable weight does not.",
        examples=["click * (0.3 + order) ^ 0.5 + 0.1 * cart"],
    )
    weights: Mapping[Name, Real] = Field(
        default={}, description="Named numbers for use in `score`.", examples=[{"taste": 0.5}]
    )
    tunable_weights: bool = Field(
        default=False,
        description="Make each of the `weights` an optional input of the signature `rank`, so that a request can try another "
        "value. The value in the recipe is the default.",
        examples=[True],
    )
    page: Annotated[int, Field(ge=1, le=10_000), Number] = Field(
        default=500, description="Number of candidates in the `rank` request that the probe checks and times."
    )
    max_latency_ms: Annotated[float, Field(gt=0.0), Number] | None = Field(
        default=None,
        description="Largest allowed 99th percentile of the time for a `rank` request with `page` candidates, measured in the "
        "probe's own process. A slower model is not pushed.",
        examples=[50.0],
    )
    max_size_mib: Annotated[float, Field(gt=0.0), Number] | None = Field(
        default=None, description="Largest allowed total size of the exported model's files.", examples=[2048.0]
    )
    keep_versions: Annotated[int, Field(ge=2), Number] | None = Field(
        default=None,
        description="Number of the newest pushed versions to keep. A push removes older ones, a ranker and its retrieval "
        "model together. The version just pushed and the versions that `gatewise serving-config` has chosen "
        "always stay. By default nothing is removed.",
        examples=[10],
    )
