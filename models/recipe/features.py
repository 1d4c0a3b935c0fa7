"""The section `features` of a recipe: the model's inputs, and the raw columns that they read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from models.recipe.section import Name, NonEmpty, Number, Real, Section


class _Feature(Section):
    column: NonEmpty | None = Field(
        default=None, description="Column of the impression stream; by default the feature's name.", examples=["price"]
    )
    side: Literal["user", "item", "context"] = Field(
        default="context", description="Whom the feature describes; a ranking request repeats the user side only once."
    )


class _Embedded(_Feature):
    dim: Annotated[int, Field(ge=1, le=1024), Number] | None = Field(
        default=None, description="Width of the embedding; by default `model.embedding_dim`.", examples=[16]
    )


class _Vocabulary(_Embedded):
    type: Literal["string", "integer"] = Field(
        default="string",
        description="Type of the values. Numbers as `string` are written out as text.",
        examples=["string"],
    )
    vocabulary: Annotated[int, Field(ge=1, le=100_000_000), Number] | None = Field(
        default=100_000,
        description="Most frequent values that get an id of their own. `null`: none does, no pass over the values is "
        "made, and `hash_buckets` says how many ids they share.",
        examples=[50_000],
    )
    min_count: Annotated[int, Field(ge=1), Number] = Field(
        default=1, description="Values seen less often in the train split get no id of their own.", examples=[2]
    )
    oov_buckets: Annotated[int, Field(ge=1, le=100_000_000), Number] = Field(
        default=1, description="Ids that values outside of the vocabulary share, chosen by hash.", examples=[10]
    )
    hash_buckets: Annotated[int, Field(ge=2, le=100_000_000), Number] | None = Field(
        default=None,
        description="Ids of a feature without a vocabulary, chosen by hash: 1 + fingerprint(value) mod hash_buckets.",
        examples=[1_000_000],
    )
    quotient_remainder: bool = Field(
        default=False,
        description="With `hash_buckets`: the embedding is the sum of a row of each of two tables of hash_buckets rows, "
        "chosen by remainder and quotient of one hash. Values then rarely share both rows.",
        examples=[True],
    )
    embedding: Name | None = Field(
        default=None,
        description="Features with the same name here share one vocabulary and one embedding table.",
        examples=["item"],
    )


class Categorical(_Vocabulary):
    """One value of a finite set: an id, a country, a device. Missing is an id of its own."""

    kind: Literal["categorical"]


class MultiValued(_Vocabulary):
    """Any number of values of a finite set (tags, last items seen), pooled into one vector."""

    kind: Literal["multivalued"]
    pooling: Literal["mean", "sum", "max", "sqrtn"] = Field(
        default="mean", description="How the values' embeddings become one vector."
    )
    separator: Annotated[str, Field(min_length=1)] | None = Field(
        default=None, description="Text columns only: what stands between the values.", examples=["|"]
    )
    max_length: Annotated[int, Field(ge=1, le=1000), Number] = Field(
        default=20, description="Values used of one example, the first ones.", examples=[20]
    )


class Numeric(_Feature):
    """A number that enters the model as a number. Missing becomes 0 after scaling, and a second input says so."""

    kind: Literal["numeric"]
    transform: Literal["none", "log1p"] = Field(
        default="none", description="Applied before scaling: `log1p` is sign(x) log(1 + |x|), for heavy tails."
    )
    scale: Literal["zscore", "minmax", "none"] = Field(
        default="zscore", description="Scaling by the train split's moments, or by its smallest and largest value."
    )


class Bucketised(_Embedded):
    """A number that enters the model as the embedding of the interval it falls into. Missing is an id of its own."""

    kind: Literal["bucketised"]
    buckets: Annotated[int, Field(ge=2, le=10_000), Number] | None = Field(
        default=None, description="Number of intervals, with limits at the train split's quantiles.", examples=[10]
    )
    boundaries: tuple[Real, ...] | None = Field(
        default=None,
        description="The limits themselves, rising; a value equal to a limit belongs above it.",
        examples=[[18.0, 30.0, 65.0]],
    )


Feature = Annotated[Categorical | MultiValued | Numeric | Bucketised, Field(discriminator="kind")]


def column_of(name: str, feature: Feature) -> str:
    """The column that a feature reads."""
    return feature.column or name


def raw_type(feature: Feature) -> Literal["bytes", "int", "float"]:
    """The type of a feature's values in the examples and in a request: one of tf.Example's three."""
    if isinstance(feature, Categorical | MultiValued):
        return "bytes" if feature.type == "string" else "int"
    return "float"


def feature_columns(features: Mapping[str, Feature]) -> dict[str, Feature]:
    """The raw columns that the features read: {column: a feature that reads it}, in order.

    Two features may read one column (`recipe_checks` sees to it that they agree on its type).
    """
    columns: dict[str, Feature] = {}
    for name, feature in features.items():
        columns.setdefault(column_of(name, feature), feature)
    return columns
