"""The sections `logs` and `examples` of a recipe: the data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

import pydantic
from pydantic import Field

from models.recipe.log_limits import LogLimits
from models.recipe.section import Name, NonEmpty, Scalar, Section
from models.recipe.spans import LATEST, Day
from models.recipe.units import Duration, Moment

Mark = Annotated[str, Field(pattern=r"^[\x01-\x09\x0b\x0c\x0e-\x7f]$")]
"""One ASCII character that is not a line break."""


class Time(Section):
    """Time of an event."""

    column: NonEmpty = Field(description="Column with the time of the event.", examples=["timestamp"])
    unit: Literal["s", "ms", "us", "ns", "text"] = Field(
        description="Unit of an epoch time: seconds, milliseconds, microseconds or nanoseconds. `text` reads ISO 8601 texts, "
        "such as `2026-01-15T08:30:00.5+01:00` or `2026-01-15 07:30:00 UTC`, and Parquet timestamps.",
        examples=["s"],
    )
    zone: str | None = Field(
        default=None,
        description="Time zone (IANA name) of texts and Parquet timestamps without an offset. Without this key, such times "
        "are refused, because a guessed zone would shift every attribution window.",
        examples=["Europe/Vienna"],
    )
    format: str | None = Field(
        default=None,
        description="With `unit: text`: format of texts that are not ISO 8601, in strptime codes (`%d.%m.%Y %H:%M:%S`). `%.f` "
        "is a fraction of a second with its point, `%z` an offset from UTC.",
        examples=["%d/%b/%Y:%H:%M:%S %z"],
    )


class Csv(Section):
    """Dialect of CSV files that differ from RFC 4180."""

    delimiter: Mark = Field(default=",", description="Character between the fields of a row.", examples=[";"])
    quote: Mark | None = Field(
        default='"',
        description="Character around values that contain delimiters, line breaks or quotes. A quote inside such a value is "
        "doubled. `null`: quotes have no special meaning.",
        examples=[None],
    )
    escape: Mark | None = Field(
        default=None,
        description="Character that makes a quote, a delimiter, a line break or itself literal, as Spark and MySQL write it. "
        "Before any other character it stands for itself: `\\N` stays `\\N`.",
        examples=["\\"],
    )
    header: Annotated[tuple[NonEmpty, ...], Field(min_length=1)] | None = Field(
        default=None,
        description="Column names of files without a header line.",
        examples=[["user", "item", "timestamp"]],
    )
    multiline: bool = Field(
        default=False,
        description="Allow values with many line breaks. If false, two kinds of rows stop the run, because a stray quote may "
        "have swallowed other rows: a row of more than 100 lines, and a row whose first and last line each have "
        "as many delimiters as a whole row.",
        examples=[True],
    )

    @pydantic.model_validator(mode="after")
    def _told_apart(self) -> Csv:
        marks = [mark for mark in (self.delimiter, self.quote, self.escape) if mark]
        if len(set(marks)) < len(marks):
            raise ValueError(
                "`delimiter`, `quote` and `escape` must differ. Where a quote is doubled, leave `escape` out."
            )
        twice = sorted({name for name in self.header or () if (self.header or ()).count(name) > 1})
        if twice:
            raise ValueError(f"`header` names column {twice[0]!r} twice; give each column its own name.")
        return self


Format = Annotated[
    Literal["parquet", "csv", "jsonl"] | None,
    Field(description="Format of the files. By default the file ending decides.", examples=["csv"]),
]
Dialect = Annotated[
    Csv,
    Field(
        description="Dialect of the files if they are CSV and differ from RFC 4180.",
        examples=[{"delimiter": "\t", "quote": None, "escape": "\\"}],
    ),
]
Nulls = Annotated[
    tuple[str, ...],
    Field(
        description="Texts in CSV and JSON Lines files that mean a missing value, in every column, in addition to the empty "
        "text. They are compared exactly.",
        examples=[["NA", "\\N"]],
    ),
]


WEIGHT = (
    "Column with the weight of each example: a number of at least 0, such as the weight of a survey, the inverse rate of a "
    "sample or the inverse propensity of an impression. It multiplies the example's loss and its part in every metric. Only "
    "ratios of weights matter. An example of weight 0 is in no loss and in no metric. A row without a finite number of at "
    "least 0 is a dead letter. No feature may read the column. By default every example has weight 1."
)


class Stream(Section):
    """One stream of events: its files, its rows and its columns."""

    path: NonEmpty = Field(
        description="File or glob, relative to `data`. `**` crosses folders. A glob matches names that begin with `_` or `.`, "
        "such as `_temporary`, only if the pattern begins with the same character. Text files may be compressed "
        "with gzip, bzip2, zstd, lz4 or xz. With `logs.span`, `{YYYY}`, `{MM}`, `{DD}` and `{HH}` stand for the year, month, day "
        "and hour of a span, in UTC. Write `[{]` for a brace.",
        examples=["clicks/*.parquet", "clicks/dt={YYYY}-{MM}-{DD}/*.parquet"],
    )
    format: Format = None
    csv: Dialect = Csv()
    where: Mapping[NonEmpty, tuple[Scalar, ...]] = Field(
        default={},
        description="Selects the rows of this stream in files that hold several streams: column -> allowed values. Row "
        "accounting counts the other rows apart, as rows of other streams. A number matches every spelling of "
        "that number. `true` matches `true`, `True` and `TRUE` but not 1. Texts are compared as in `key`.",
        examples=[{"eventType": ["VIEW"]}],
    )
    key: tuple[NonEmpty, ...] = Field(
        min_length=1,
        description="Columns that join an outcome to its impression, in the same order in every stream. Whole numbers are "
        "compared as numbers, whether Parquet stores them as integers, floats or decimals or the file has them as "
        "text: 1007, `1007.0` and `1007.0000000000` are one key. So are `true`, `True` and `TRUE`. Other texts "
        "are compared exactly: `007`, `+7`, `1e3`, `7.` and a 7 between spaces differ from 7. A float of 2^53 or "
        "more (2^24 for 32 bits) is a dead letter, because it may stand for several whole numbers. Values of "
        "categorical features follow the same rules, in training and in requests.",
        examples=[["user_id", "item_id"]],
    )
    user: tuple[NonEmpty, ...] = Field(
        default=(),
        description="Columns that identify the user, in the same order in every stream, for tasks with `match: user`. They are "
        "compared as in `key`. For an event without a value there, these tasks are not observed; other tasks do not read it.",
        examples=[["user_id"]],
    )
    time: Time = Field(description="Time of the event.", examples=[{"column": "timestamp", "unit": "s"}])
    event_id: NonEmpty | None = Field(
        default=None,
        description="Column that identifies the event. Rows with the same id are one event; the earliest row is kept. Rows "
        "that are equal in every column are always one event. If several impressions share a key and a time, the "
        "one with the largest id is credited with the outcomes. Whole numbers are compared as numbers and are "
        "larger than texts. Without ids, a hash of the row decides; it is the same in every run.",
        examples=["click_id"],
    )
    value: NonEmpty | None = Field(
        default=None,
        description="Column with the number that regression tasks on this stream predict. An outcome without a number, or "
        "with NaN, is a dead letter.",
        examples=["order_value"],
    )
    weight: NonEmpty | None = Field(
        default=None,
        description=f"For the stream of the impressions: {WEIGHT[0].lower()}{WEIGHT[1:]}",
        examples=["inverse_rate"],
    )
    clock_tolerance: Duration | None = Field(
        default=None,
        description="For outcome streams: how far an outcome's time may lie before its impression's time if the clocks "
        "differ. An outcome that would otherwise be an orphan or late is credited to the first impression after "
        "it within this time, with a lag of 0. An outcome that lies in the window of an earlier impression stays "
        "with that impression. By default there is no tolerance.",
        examples=["1s"],
    )
    nulls: Nulls = ()
    may_be_empty: bool = Field(
        default=False,
        description="With `logs.span`: whether a day without a file of this stream is normal. By default it stops the run.",
        examples=[True],
    )


class Logs(Section):
    """Event logs to build the examples from."""

    impressions: str = Field(
        description="Stream of the impressions. Each event becomes one example.", examples=["impression"]
    )
    streams: Mapping[Name, Stream] = Field(
        min_length=1,
        description="The streams, by name.",
        examples=[{"click": {"path": "clicks/*.csv", "key": ["user"], "time": {"column": "at", "unit": "s"}}}],
    )
    span: Literal["1d", "1h"] | None = Field(
        default=None,
        description="Length of the spans, days or hours in UTC, that the placeholders in the `path` of every stream stand for. A run then "
        "reads the spans that `day`, `split.eval_last` and `split.train_last` select. "
        "By default the paths have no placeholders, and a run reads all files. See [logs.md](logs.md#days).",
        examples=["1d"],
    )
    day: Day = Field(
        default=LATEST,
        description="With `span`: the newest span that a run reads: a day, or with `span: 1h` an hour, in UTC. `--day` of `gatewise run` "
        "overrides it. `latest`: the newest past span of which every stream has a file, except streams with `may_be_empty`.",
        examples=["2026-11-28", "2026-11-28T05"],
    )
    left_out: tuple[Day, ...] = Field(
        default=(),
        description="With `span`: days or hours whose impressions no training reads, such as a day that was logged wrongly and stays so. "
        "With `training.start: warm`, the days of refused nights are left out, too.",
        examples=[["2026-01-09"]],
    )
    taken_in: tuple[Day, ...] = Field(
        default=(),
        description="With `training.start: warm`: days or hours of refused nights that a training may read again, such as a day whose files "
        "were corrected.",
        examples=[["2026-01-09"]],
    )
    as_of: Moment | Literal["latest"] = Field(
        default="latest",
        description="Moment up to which the logs are complete. An example whose attribution window is still open at this "
        "moment is masked: it gets weight 0 instead of a negative label. Events after this moment are counted as "
        "`after_as_of` and otherwise ignored, as if the logs ended there. `latest`: the smallest watermark. The "
        "watermark of a stream is the time of its last event; the impressions and the outcome streams that tasks "
        "use count. Impressions after this watermark stay examples with weight 0. With `span`, `latest` is the end of `day`.",
        examples=["2026-01-15T00:00:00Z"],
    )
    limits: LogLimits = Field(
        default=LogLimits(),
        description="Limits on lost rows.",
        examples=[{"orphans": 0.8}],
    )


class LabelledExamples(Section):
    """Examples that already have labels, for data without event logs."""

    path: NonEmpty = Field(
        description="File or glob of the examples, relative to `data`, with the same rules as the `path` of a stream.",
        examples=["census_train.parquet"],
    )
    eval_path: NonEmpty | None = Field(
        default=None,
        description="Files of the eval split if its publisher fixed one. Without this key, `split` divides the files of "
        "`path`.",
        examples=["census_test.parquet"],
    )
    validate_path: NonEmpty | None = Field(
        default=None,
        description="Files of the validate split if its publisher fixed one. Without this key, it is a part of `path`.",
        examples=["census_validate.parquet"],
    )
    format: Format = None
    csv: Dialect = Csv()
    time: Time | None = Field(
        default=None,
        description="Time of the example, if known. The split is then by time.",
        examples=[{"column": "timestamp", "unit": "s"}],
    )
    weight: NonEmpty | None = Field(
        default=None,
        description=f"{WEIGHT} The files of `path`, `validate_path` and `eval_path` must all have it.",
        examples=["instance_weight"],
    )
    nulls: Nulls = ()
    limits: LogLimits = Field(
        default=LogLimits(),
        description="Limits on malformed rows.",
        examples=[{"dead_letters": 0.01}],
    )
