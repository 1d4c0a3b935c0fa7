"""The section `features` of a recipe: the model's inputs, and the raw columns that they read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from models.recipe.section import Name, NonEmpty, Number, Real, Section


class _Feature(Section):
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


class _Embedded(_Feature):
    dim: Annotated[int, Field(ge=1, le=1024), Number] | None = Field(
        default=None, description="Width of the embedding. By default `model.embedding_dim`.", examples=[16]
    )


class _Vocabulary(_Embedded):
    type: Literal["string", "integer"] = Field(
        default="string",
        description="Type of the values. `string` converts numbers to text.",
        examples=["string"],
    )
    vocabulary: Annotated[int, Field(ge=1, le=100_000_000), Number] | None = Field(
        default=100_000,
        description="Size of the vocabulary: the most frequent values get an id of their own. `null`: no vocabulary and no "
        "pass over the values; all values share the ids of `hash_buckets`.",
        examples=[50_000],
    )
    min_count: Annotated[int, Field(ge=1), Number] = Field(
        default=1,
        description="Smallest number of occurrences in the train split for a value to get an id of its own.",
        examples=[2],
    )
    oov_buckets: Annotated[int, Field(ge=1, le=100_000_000), Number] = Field(
        default=1,
        description="Number of out-of-vocabulary buckets: ids that values outside the vocabulary share, chosen by hash.",
        examples=[10],
    )
    hash_buckets: Annotated[int, Field(ge=2, le=100_000_000), Number] | None = Field(
        default=None,
        description="Number of ids of a feature without a vocabulary, chosen by hash: 1 + fingerprint(value) mod "
        "hash_buckets.",
        examples=[1_000_000],
    )
    quotient_remainder: bool = Field(
        default=False,
        description="With `hash_buckets`: use two tables of hash_buckets rows and add one row of each. The remainder and the "
        "quotient of one hash choose the rows. Two values then rarely share both rows.",
        examples=[True],
    )
    embedding: Name | None = Field(
        default=None,
        description="Name of a shared embedding. Features with the same name share one vocabulary and one embedding table.",
        examples=["item"],
    )


class Categorical(_Vocabulary):
    """One value of a finite set: an id, a country, a device. A missing value has an id of its own."""

    kind: Literal["categorical"] = Field(description="Kind of the feature.")


class MultiValued(_Vocabulary):
    """Any number of values of a finite set (tags, last items seen), pooled into one vector."""

    kind: Literal["multivalued"] = Field(description="Kind of the feature.")
    pooling: Literal["mean", "sum", "max", "sqrtn"] = Field(
        default="mean", description="How the embeddings of the values are combined into one vector."
    )
    separator: Annotated[str, Field(min_length=1)] | None = Field(
        default=None, description="Separator between the values in a text column.", examples=["|"]
    )
    max_length: Annotated[int, Field(ge=1, le=1000), Number] = Field(
        default=20, description="Maximum number of values per example; the first ones are used.", examples=[20]
    )


class Numeric(_Feature):
    """A number that the model reads as a number. A missing value is 0 after scaling, and a second input marks it as missing."""

    kind: Literal["numeric"] = Field(description="Kind of the feature.")
    transform: Literal["none", "log1p"] = Field(
        default="none", description="Transform before scaling. `log1p` is sign(x) log(1 + |x|), for heavy tails."
    )
    scale: Literal["zscore", "minmax", "none"] = Field(
        default="zscore",
        description="Scaling: `zscore` by mean and standard deviation of the train split, `minmax` by its smallest and "
        "largest value.",
    )


class Bucketised(_Embedded):
    """A number that the model reads as the embedding of its interval. A missing value has an id of its own."""

    kind: Literal["bucketised"] = Field(description="Kind of the feature.")
    buckets: Annotated[int, Field(ge=2, le=10_000), Number] | None = Field(
        default=None,
        description="Number of intervals, with boundaries at the quantiles of the train split.",
        examples=[10],
    )
    boundaries: tuple[Real, ...] | None = Field(
        default=None,
        description="Boundaries of the intervals, in rising order. A value equal to a boundary belongs to the interval above "
        "it.",
        examples=[[18.0, 30.0, 65.0]],
    )


Feature = Annotated[Categorical | MultiValued | Numeric | Bucketised, Field(discriminator="kind")]


def column_of(name: str, feature: Feature) -> str:
    """The column that a feature reads."""
    return feature.column or name


def raw_type(feature: Feature) -> Literal["bytes", "int", "float"]:
    """Type of a feature's values in the examples and in a request: one of the three types of tf.Example."""
    if isinstance(feature, Categorical | MultiValued):
        return "bytes" if feature.type == "string" else "int"
    return "float"


def feature_columns(features: Mapping[str, Feature]) -> dict[str, Feature]:
    """The raw columns that the features read: {column: a feature that reads it}, in order.

    Several features may read one column; `models.recipe.checks.features` checks that they agree on its type.
    """
    columns: dict[str, Feature] = {}
    for name, feature in features.items():
        columns.setdefault(column_of(name, feature), feature)
    return columns
