"""The keys that the kinds of features share."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from models.recipe.section import NonEmpty, Number, Scalar, Section


class FeatureBase(Section):
    """The keys of every feature."""

    column: NonEmpty | None = Field(
        default=None,
        description="Column of the impression stream. By default the name of the feature.",
        examples=["price"],
    )
    side: Literal["user", "item", "context"] = Field(
        default="context",
        description="What the feature describes: the user, the item or the context. A `rank` request gives the columns of the "
        "user only once.",
    )
    served_as: Scalar | None = Field(
        default=None,
        description="Value that the served model uses in every request, whatever the request has in the column. Training and "
        "evaluation use the logged value. For what is known of an impression only after the ranking, such as its position: the "
        "model learns the effect of the position, and ranks all candidates as if they were at the same one. The feature must be "
        "of side `context`. By default the value of the request.",
        examples=[1],
    )


class EmbeddedBase(FeatureBase):
    """The keys of a feature that the model reads as an embedding."""

    dim: Annotated[int, Field(ge=1, le=1024), Number] | None = Field(
        default=None, description="Width of the embedding. By default `model.embedding_dim`.", examples=[16]
    )
