"""The section `features` of a recipe: the model's inputs, and the raw columns that they read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from models.recipe.cross import Cross
from models.recipe.feature_base import EmbeddedBase, FeatureBase
from models.recipe.section import Name, Number, Real
from models.recipe.vector import Vector


class _Vocabulary(EmbeddedBase):
    type: Literal["string", "integer", "number"] = Field(
        default="string",
        description="Type of the values. `string` converts numbers to text. `integer` reads whole numbers of 64 bits; a value "
        "with a fraction is a dead letter. `number` gives each exact value an id, as a float32: -0.0 equals 0.0, and a value "
        "that is not finite is missing. With `integer` or `number`, numeric features can read the same column: the model then "
        "has the amount as a quantity and its exact value as a category, such as a wage of exactly 0 or a round price.",
        examples=["integer"],
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


class Numeric(FeatureBase):
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


class Bucketised(EmbeddedBase):
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


class PiecewiseLinear(FeatureBase):
    """A number that the model reads as its position in each of several intervals.

    With the boundaries b_0 < ... < b_k, component j = 1..k is clip((x - b_(j-1)) / (b_j - b_(j-1)), 0, 1): 1 above the interval,
    0 below it, and the part of the interval below x inside it. A layer of weights on the components is a piecewise linear
    function of x. Use it where the effect of a number bends, such as age, and where `numeric` is too coarse and `bucketised`
    loses the order. A missing value is 0 in all components, and one more input marks it as missing.

    Gorishniy et al., On Embeddings for Numerical Features in Tabular Deep Learning, 2022, https://arxiv.org/abs/2203.05556.
    Deviation: the first and the last component are clipped too, so a number outside the train split's range equals the nearest
    boundary.
    """

    kind: Literal["piecewise_linear"] = Field(description="Kind of the feature.")
    buckets: Annotated[int, Field(ge=2, le=1000), Number] | None = Field(
        default=None,
        description="Number of intervals. Their boundaries are the smallest number, the quantiles and the largest number of the "
        "train split. Equal boundaries count once, so a column with few distinct numbers has fewer intervals.",
        examples=[16],
    )
    boundaries: tuple[Real, ...] | None = Field(
        default=None,
        description="Boundaries b_0, ..., b_k of the intervals, at least two, in rising order.",
        examples=[[0.0, 18.0, 30.0, 65.0, 90.0]],
    )


class Periodic(FeatureBase):
    """A number that repeats after a period, such as an hour of the day, a day of the week or an angle.

    The inputs are sin(2 pi h x / period) and cos(2 pi h x / period) for h = 1..harmonics. Hours 23 and 0 are then as close as
    hours 0 and 1. A missing value is 0 in all of them, and one more input marks it as missing.
    """

    kind: Literal["periodic"] = Field(description="Kind of the feature.")
    period: Annotated[float, Field(gt=0), Number] = Field(
        description="Length of the period in the units of the column.", examples=[24]
    )
    harmonics: Annotated[int, Field(ge=1, le=100), Number] = Field(
        default=1,
        description="Number of frequencies. 1 is one wave per period; more give the model sharper functions of the period.",
        examples=[3],
    )


Feature = Annotated[
    Categorical | MultiValued | Numeric | Bucketised | PiecewiseLinear | Periodic | Vector | Cross,
    Field(discriminator="kind"),
]
RawType = Literal["bytes", "int", "float"]
"""Type of a column in the examples and in a request: one of the three types of tf.Example."""


OneColumn = Categorical | MultiValued | Numeric | Bucketised | PiecewiseLinear | Periodic | Vector
"""The kinds of features that read one column."""


def column_of(name: str, feature: OneColumn) -> str:
    """The column that a feature of one column reads."""
    return feature.column or name


def columns_of(name: str, feature: Feature) -> tuple[str, ...]:
    """The columns that a feature reads."""
    return feature.columns if isinstance(feature, Cross) else (column_of(name, feature),)


def has_list(feature: Feature | None) -> bool:
    """Whether the column of a feature has several values per example."""
    return isinstance(feature, MultiValued | Vector)


def raw_type(feature: OneColumn) -> RawType:
    """The type that a feature by itself gives its column."""
    if isinstance(feature, Categorical | MultiValued):
        return _RAW_TYPES[feature.type]
    return "float"


_RAW_TYPES: dict[str, RawType] = {"string": "bytes", "integer": "int", "number": "float"}


def column_types(features: Mapping[str, Feature]) -> dict[str, RawType]:
    """The type of each raw column, in the order of `feature_columns`.

    `int` if any feature reads integers: all values are whole numbers, and the graph converts them for the other readers.
    `bytes` if the features read text, or if only crosses read the column; `float` otherwise.
    """
    types: dict[str, RawType] = {}
    for name, feature in features.items():
        if not isinstance(feature, Cross):
            column, own = column_of(name, feature), raw_type(feature)
            types[column] = own if types.get(column, "float") == "float" else types[column]
    return {column: types.get(column, "bytes") for column in feature_columns(features)}


def quantities(features: Mapping[str, Feature]) -> tuple[str, ...]:
    """The columns of integers that a feature reads as numbers too, by name."""
    types = column_types(features)
    read = {
        column_of(name, feature)
        for name, feature in features.items()
        if not isinstance(feature, Categorical | MultiValued | Cross)
    }
    return tuple(sorted(column for column in read if types[column] == "int"))


def feature_columns(features: Mapping[str, Feature]) -> dict[str, Feature]:
    """The raw columns that the features read: {column: the first feature that reads it}, in order.

    Crosses count only for columns that no other feature reads.

    Several features may read one column; `models.recipe.checks.features` checks that they agree on text or numbers.
    """
    columns: dict[str, Feature] = {}
    for name, feature in features.items():
        for column in columns_of(name, feature):
            first = columns.setdefault(column, feature)
            if isinstance(first, Cross) and not isinstance(feature, Cross):
                columns[column] = feature
    return columns
