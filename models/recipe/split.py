"""The section `split` of a recipe: the train, validate and eval splits."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from models.recipe.section import Number, Section
from models.recipe.units import Duration, Moment

VALIDATE_FRACTION = 0.1
"""Share of the validate split in the examples before the eval split, if the recipe sets no `validate` key."""


class Split(Section):
    """Divides the examples by time into the train, validate and eval splits, from the oldest to the newest examples.

    The train split trains the model. The validate split decides when training stops and which epoch is kept. The eval split
    only measures the result. Set exactly one of the three `eval` keys and at most one of the three `validate` keys. Labelled
    examples without a time are divided by hashes of the row, with the shares of `eval_fraction` and `validate_fraction`. With
    `logs.span`, set `eval_last` and `train_last`: the lengths count back from the end of `logs.day`.
    """

    eval_fraction: Annotated[float, Field(gt=0.0, lt=1.0), Number] | None = Field(
        default=None, description="Share of the examples that the eval split gets: the newest ones.", examples=[0.2]
    )
    eval_last: Duration | None = Field(
        default=None, description="Length of the eval split, counted back from `as_of`.", examples=["2d"]
    )
    eval_from: Moment | None = Field(
        default=None,
        description="Start of the eval split. It contains the examples from this moment on.",
        examples=["2026-01-13T00:00:00Z"],
    )
    train_last: Duration | None = Field(
        default=None,
        description="With `logs.span`: length of the time before the eval split whose files are read. It contains the train split "
        "and, at its end, the validate split.",
        examples=["28d"],
    )
    validate_fraction: Annotated[float, Field(gt=0.0, lt=1.0), Number] | None = Field(
        default=None,
        description="Share of the examples before the eval split that the validate split gets: the newest ones. Without a "
        f"`validate` key, it is {VALIDATE_FRACTION}.",
        examples=[0.1],
    )
    validate_last: Duration | None = Field(
        default=None,
        description="Length of the validate split, counted back from the start of the eval split.",
        examples=["1d"],
    )
    validate_from: Moment | None = Field(
        default=None,
        description="Start of the validate split. It contains the examples from this moment to the start of the eval split.",
        examples=["2026-01-12T00:00:00Z"],
    )
    gap: Duration | None = Field(
        default=None,
        description="Leaves out the train examples at most this long before the start of the validate split, and the validate "
        "examples at most this long before the start of the eval split. Row accounting counts them as `gap`. Labels then do "
        "not use outcomes of the next split's time if the gap is as long as the longest window of the tasks. By default "
        "there is no gap.",
        examples=["2d"],
    )
