"""The section `limits` of `logs` and `examples`: limits on lost rows."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from models.recipe.section import Number, Section
from models.recipe.units import Share


class LogLimits(Section):
    """Limits on lost rows. Beyond a limit, the run stops with a message instead of training on the rest."""

    dead_letters: Share = Field(
        default=0.05, description="Largest share of malformed rows (dead letters) in a stream.", examples=[0.05]
    )
    orphans: Share = Field(
        default=0.5,
        description="Largest share of a stream's outcomes without an earlier impression. A higher share usually means a wrong "
        "key, a missing day of impressions, or clocks in two time zones.",
        examples=[0.5],
    )
    missing_days: Literal["stop", "warn"] = Field(
        default="stop",
        description="What to do if a day has almost no outcomes although 15 or more are expected, or almost no impressions although "
        "it has outcomes. Files are then probably missing, and the model would learn false "
        "negatives. Logs of less than four days are checked by the hour. See `least_of_day`.",
        examples=["warn"],
    )
    least_of_day: Annotated[float, Field(ge=0.0, lt=1.0), Number] = Field(
        default=0.2,
        description="A day counts as missing if it has at most this share of its expected rows and the stream does not vary that "
        "much from day to day. [logs.md](logs.md#missing-days) defines the expected rows. 0: only a day without any "
        "row is missing.",
        examples=[0.5],
    )
    least_of_median: Annotated[float, Field(ge=0.0, lt=1.0), Number] = Field(
        default=0.0,
        description="With `logs.span`: a day of a stream is incomplete if it has less than this share of the median of the stream's "
        "other days. `missing_days` says what happens then. 0: no such check.",
        examples=[0.5],
    )
