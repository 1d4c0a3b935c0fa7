"""The sections `logs`, `examples` and `split` of a recipe: where the data lie, and which part of them trains."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

import pydantic
from pydantic import Field

from models.recipe.section import Name, NonEmpty, Number, Scalar, Section
from models.recipe.units import Duration, Moment, Share

Mark = Annotated[str, Field(pattern=r"^[\x01-\x09\x0b\x0c\x0e-\x7f]$")]
"""One ASCII character that is no line break."""


class Time(Section):
    """When an event happened."""

    column: NonEmpty = Field(description="Column that holds the event's time.", examples=["timestamp"])
    unit: Literal["s", "ms", "us", "ns", "text"] = Field(
        description="Unit of an epoch time (seconds, milli-, micro-, nanoseconds), or `text` for ISO 8601 texts, such as "
        "`2026-01-15T08:30:00.5+01:00` or `2026-01-15 07:30:00 UTC`, and for Parquet timestamps.",
        examples=["s"],
    )
    zone: str | None = Field(
        default=None,
        description="Time zone (IANA name) of texts and Parquet timestamps that carry no offset. Without it such times "
        "are refused: a guess would shift every window.",
        examples=["Europe/Vienna"],
    )
    format: str | None = Field(
        default=None,
        description="With `unit: text`: how the texts are written, where it is not ISO 8601, in the codes of strptime "
        "(`%d.%m.%Y %H:%M:%S`; `%.f` is a fraction of a second with its point, `%z` an offset from UTC).",
        examples=["%d/%b/%Y:%H:%M:%S %z"],
    )


class Csv(Section):
    """How CSV files are written, where they differ from RFC 4180."""

    delimiter: Mark = Field(default=",", description="What stands between the fields of a row.", examples=[";"])
    quote: Mark | None = Field(
        default='"',
        description="What stands around values that hold delimiters, line breaks or quotes, doubled inside of them. "
        "`null`: quotes are only text.",
        examples=[None],
    )
    escape: Mark | None = Field(
        default=None,
        description="What takes the meaning from a quote, delimiter, line break or itself, as Spark and MySQL write it. "
        "Before any other character it stands for itself: `\\N` stays `\\N`.",
        examples=["\\"],
    )
    header: Annotated[tuple[NonEmpty, ...], Field(min_length=1)] | None = Field(
        default=None,
        description="The names of the columns, for files that have no header line.",
        examples=[["user", "item", "timestamp"]],
    )
    multiline: bool = Field(
        default=False,
        description="Whether values may be long texts. Without it a row of more than 100 lines stops the run, and so does "
        "one whose first and last line each have as many delimiters as a whole row: a stray quote swallows rows so.",
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


class Stream(Section):
    """One stream of events: which files, which rows of them, and which columns say who, what and when."""

    path: NonEmpty = Field(
        description="File or glob (`**` crosses folders), relative to `data`. Names that begin with `_` or `.`, such as "
        "`_temporary`, match only a name that begins so in the glob. Text may be packed by gzip, bzip2, zstd, lz4 or xz.",
        examples=["clicks/*.parquet"],
    )
    format: Literal["parquet", "csv", "jsonl"] | None = Field(
        default=None, description="Format of the files; by default told by their ending.", examples=["csv"]
    )
    csv: Csv = Field(
        default=Csv(),
        description="How the files are written, if they are CSV and differ from RFC 4180.",
        examples=[{"delimiter": "\t", "quote": None, "escape": "\\"}],
    )
    where: Mapping[NonEmpty, tuple[Scalar, ...]] = Field(
        default={},
        description="Rows of this stream in files that hold several: column -> the values it may have. "
        "Other rows belong to other streams and are counted apart. A number finds all ways to write it, `true` finds "
        "`true`, `True` and `TRUE` but no 1, and a text is compared as in `key`.",
        examples=[{"eventType": ["VIEW"]}],
    )
    key: tuple[NonEmpty, ...] = Field(
        min_length=1,
        description="Columns that tie an outcome to its impression, in the same order in every stream. "
        "Whole numbers are compared as numbers, whether they are integers, floats or decimals of Parquet or texts: 1007, "
        "`1007.0` and `1007.0000000000` are one key, and so are `true`, `True` and `TRUE`. Other texts are compared as they "
        "are: `007`, `+7`, `1e3`, `7.` and a 7 between spaces are not 7. A float of 2^53 or more (2^24 with 32 bits) may "
        "stand for several whole numbers, and is a dead letter. The values of categorical features follow the same rule, in "
        "training and in requests.",
        examples=[["user_id", "item_id"]],
    )
    time: Time = Field(description="When the event happened.", examples=[{"column": "timestamp", "unit": "s"}])
    event_id: NonEmpty | None = Field(
        default=None,
        description="Column that names the event: two rows with the same id are one event, the earliest is kept. "
        "Rows equal in every column are always one event. Of several impressions with one key at one moment, the one with "
        "the largest id gets the outcomes: whole numbers are compared as numbers and are larger than texts. Without ids a "
        "hash of the row decides, which is the same in every run.",
        examples=["click_id"],
    )
    value: NonEmpty | None = Field(
        default=None,
        description="Column with the number that regression tasks on this stream learn. An outcome without one, or with "
        "NaN, is a dead letter: as a label it would be a guess.",
        examples=["order_value"],
    )
    clock_tolerance: Duration | None = Field(
        default=None,
        description="Outcomes: how long before its impression an outcome may be logged, where the clocks differ. Within it an "
        "outcome that would be an orphan, or late, is credited to the first impression after it, with a lag of 0; one that "
        "an earlier impression has in its window stays there. By default none.",
        examples=["1s"],
    )
    nulls: tuple[str, ...] = Field(
        default=(),
        description="CSV and JSON lines: texts that mean no value, in every column, besides the empty text. They are "
        "compared exactly.",
        examples=[["NA", "\\N"]],
    )


class LogLimits(Section):
    """What share of a stream may be lost before the run stops with a message instead of learning from the rest."""

    dead_letters: Share = Field(
        default=0.05, description="Largest share of malformed rows in a stream.", examples=[0.05]
    )
    orphans: Share = Field(
        default=0.5,
        description="Largest share of a stream's outcomes without any earlier impression. A higher share mostly means "
        "a wrong key, a missing day of impressions, or clocks in two time zones.",
        examples=[0.5],
    )
    missing_days: Literal["stop", "warn"] = Field(
        default="stop",
        description="What happens when a day has no outcomes although its impressions predict 15 or more, or no impressions "
        "although there are outcomes. Files are probably missing, and the model would learn that what they hold did not "
        "happen. Logs of less than four days are counted by hour. See `least_of_day`.",
        examples=["warn"],
    )
    least_of_day: Annotated[float, Field(ge=0.0, lt=1.0), Number] = Field(
        default=0.2,
        description="A day is missing if it has at most this share of the rows expected of it, and the stream does not vary "
        "that much from day to day. Expected is the rate of outcomes per impression on the three days before and after, or "
        "on the same weekday a week before and after if that is smaller, or those days' rows alone. 0: only a day without "
        "any row.",
        examples=[0.5],
    )


class Logs(Section):
    """Event logs from which the examples are made."""

    impressions: str = Field(
        description="The stream whose events become the examples, one each.", examples=["impression"]
    )
    streams: Mapping[Name, Stream] = Field(
        min_length=1,
        description="The streams by name.",
        examples=[{"click": {"path": "clicks/*.csv", "key": ["user"], "time": {"column": "at", "unit": "s"}}}],
    )
    as_of: Moment | Literal["latest"] = Field(
        default="latest",
        description="The moment up to which the logs are complete. A window still open then is not yet a negative: its "
        "example gets weight 0. Events after it are counted as `after_as_of` and otherwise ignored, as if the logs ended there. "
        "`latest`: found from the logs. Each stream is complete up to its last event, all of them up to the earliest of these "
        "moments, over the impressions and the outcome streams that tasks use; impressions after it stay examples, of weight 0.",
        examples=["2026-01-15T00:00:00Z"],
    )
    limits: LogLimits = Field(
        default=LogLimits(),
        description="When to stop because too much of a stream is lost.",
        examples=[{"orphans": 0.8}],
    )


class LabelledExamples(Section):
    """Examples that already carry their labels, where there is no log."""

    path: NonEmpty = Field(
        description="File or glob of the examples, relative to `data`, as a stream's.",
        examples=["census_train.parquet"],
    )
    eval_path: NonEmpty | None = Field(
        default=None,
        description="Files of the eval split, where its publisher fixed one. Without it `split` divides `path`.",
        examples=["census_test.parquet"],
    )
    format: Literal["parquet", "csv", "jsonl"] | None = Field(
        default=None, description="Format of the files; by default told by their ending.", examples=["csv"]
    )
    csv: Csv = Field(
        default=Csv(),
        description="How the files are written, if they are CSV and differ from RFC 4180.",
        examples=[{"delimiter": "\t", "quote": None, "escape": "\\"}],
    )
    time: Time | None = Field(
        default=None,
        description="When the example happened, if known: the split is then by time.",
        examples=[{"column": "timestamp", "unit": "s"}],
    )
    nulls: tuple[str, ...] = Field(
        default=(),
        description="CSV and JSON lines: texts that mean no value, in every column, besides the empty text. They are "
        "compared exactly.",
        examples=[["NA", "\\N"]],
    )
    limits: LogLimits = Field(
        default=LogLimits(),
        description="When to stop because too many rows are malformed.",
        examples=[{"dead_letters": 0.01}],
    )


class Split(Section):
    """Which examples train and which evaluate: by time, the newest evaluate. One of the three keys.

    Labelled examples without a time are divided by a hash of the row, in the share of `eval_fraction`.
    """

    eval_fraction: Annotated[float, Field(gt=0.0, lt=1.0), Number] | None = Field(
        default=None, description="Share of the examples, the newest, that evaluate.", examples=[0.2]
    )
    eval_last: Duration | None = Field(
        default=None, description="The examples of this long before `as_of` evaluate.", examples=["2d"]
    )
    eval_from: Moment | None = Field(
        default=None, description="The examples from this moment on evaluate.", examples=["2026-01-13T00:00:00Z"]
    )
