"""A feature of kind `vector`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from models.recipe.feature_base import FeatureBase
from models.recipe.section import Number


class Vector(FeatureBase):
    """A list of `dim` numbers that the model reads as numbers, such as the embedding of the item's title by a text model.

    Null and an empty list are a missing vector: 0 in all components after `normalise`, and one more input marks it as missing. A
    row of the logs whose vector has another length, or a component that is null or not finite, is a dead letter; the served model
    reads such a vector as missing. The numbers are 32-bit floats.
    """

    kind: Literal["vector"] = Field(description="Kind of the feature.")
    dim: Annotated[int, Field(ge=1, le=8192), Number] = Field(description="Number of components.", examples=[384])
    normalise: Literal["none", "l2", "standard"] = Field(
        default="none",
        description="`none`: the components as they are. `l2`: divided by the Euclidean norm of the vector; a vector of zeros stays "
        "one. `standard`: (x - mean) / standard deviation, of each component over the train split; a component that is constant "
        "there becomes 0.",
    )
    separator: Annotated[str, Field(min_length=1)] = Field(
        default=",",
        description="Separator between the components in a text column, as in CSV. Square brackets around them are allowed: "
        "`[0.1, -0.2]`.",
        examples=[" "],
    )
