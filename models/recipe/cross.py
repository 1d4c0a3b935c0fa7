"""A feature of kind `cross`."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from models.recipe.section import NonEmpty, Number, Section


class Cross(Section):
    """The combination of the values of two to four columns, such as country and category, as one categorical feature.

    Its id is 1 + hash mod `hash_buckets`, and 0 if any of the columns has no value. The hash is of the texts of the values, in the
    order of `columns`: the text 7 and the whole number 7 are one value. Each column has one text or one whole number per example.
    A column that no other feature reads is read as text. Use it where the effect of one column depends on another, and their
    combinations are too few or too important for the network to find it.

    Cheng et al., Wide & Deep Learning for Recommender Systems, 2016, https://arxiv.org/abs/1606.07792. Deviation: an embedding of
    each id, not a weight in a linear part.
    """

    kind: Literal["cross"] = Field(description="Kind of the feature.")
    columns: Annotated[tuple[NonEmpty, ...], Field(min_length=2, max_length=4)] = Field(
        description="The columns of the impression stream.", examples=[["country", "category"]]
    )
    hash_buckets: Annotated[int, Field(ge=2, le=100_000_000), Number] = Field(
        description="Number of ids. Combinations share an id where there are more of them.", examples=[100_000]
    )
    dim: Annotated[int, Field(ge=1, le=1024), Number] | None = Field(
        default=None, description="Width of the embedding. By default `model.embedding_dim`.", examples=[16]
    )
    side: Literal["user", "item", "context"] = Field(
        default="context",
        description="`user` or `item`: all of the columns are of this side. `context`: they may be of any sides. A column that no "
        "other feature reads is of the side of the cross.",
    )
    served_as: ClassVar[None] = None
