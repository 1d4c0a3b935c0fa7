"""The recipe: one file declares a problem once. Every stage gets its own part of it, by value.

Sections in the order of the data: logs (or examples) -> split -> features -> tasks -> validation -> model -> training
-> evaluation -> retrieval (in `models/recipe_retrieval.py`) -> serving -> beam -> kubeflow (in `models/recipe_kubeflow.py`).
Each key's description is what docs/recipe.md and the JSON Schema say about it. Reading the file, with line numbers in the
errors, is `models/recipe_file.py`; the checks across sections are `models/recipe_checks.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import pydantic
from pydantic import Field

from models.recipe_kubeflow import Kubeflow
from models.recipe_retrieval import Retrieval
from models.section import Name, NonEmpty, Number, Real, Scalar, Section
from models.units import Duration, Moment, Share

# ---- logs -> examples -------------------------------------------------------------------------------------------


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


# ---- features ---------------------------------------------------------------------------------------------------


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
    compositional: bool = Field(
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


# ---- tasks ------------------------------------------------------------------------------------------------------


class Gate(Section):
    """A condition that the candidate's eval metric must hold, or it is not blessed. At least one limit.

    A task that names no gates has two: its log_loss (regression: rmse) beats the constant, and its calibration lies within
    [0.5, 2] (regression: where no label is negative).
    """

    metric: str = Field(description="One of the task's metrics.", examples=["auc"])
    at_least: Real | None = Field(default=None, description="Smallest allowed value.", examples=[0.7])
    at_most: Real | None = Field(default=None, description="Largest allowed value.", examples=[1.1])
    beats: Literal["constant"] | None = Field(
        default=None,
        description="What it must be better than, on the same examples: `constant` always answers with the task's mean label "
        "in the train split. For `log_loss`, `rmse` and `mae`.",
        examples=["constant"],
    )
    max_loss_to_baseline: Annotated[float, Field(ge=0.0), Number] | None = Field(
        default=None,
        description="How much worse than the newest blessed model older than the candidate it may be, in the metric's "
        "own unit, both measured on the same examples. Holds, and says so, where there is no such model or it cannot be "
        "asked because a column that it reads is gone.",
        examples=[0.005],
    )
    max_loss_to_best: Annotated[float, Field(ge=0.0), Number] | None = Field(
        default=None,
        description="How much worse than the best value of all blessed models before it may be, in the metric's own unit: "
        "small losses to each night's baseline add up, this one does not move down with them. Each value was measured on "
        "its own run's eval split, and starts anew when the definition of the task, its streams or the kind of split "
        "changes. Holds, and says so, where no value is on record.",
        examples=[0.05],
    )
    slice: Mapping[str, Scalar] = Field(
        default={},
        description="Only these examples: column -> value, one of `evaluation.slices`.",
        examples=[{"device": "phone"}],
    )


def _own_gates(value: Any, handler: pydantic.ValidatorFunctionWrapHandler) -> Any:
    """`none` is no gate at all, which an empty list or an empty value could also be by mistake."""
    if value == "none":
        return ()
    if value is None or value == [] or isinstance(value, str):
        raise ValueError(
            f"expected a list of gates, or `none`; received {value!r}. `gates: none` lets every model of the task pass; "
            "without the key it has the default gates."
        )
    return handler(value)


class Label(Section):
    """Where labelled examples keep a task's label."""

    column: NonEmpty = Field(description="Column with the label.", examples=["income"])
    positive: tuple[Scalar, ...] = Field(
        default=(),
        description="Values that count as 1, all others as 0; without it the column holds numbers. They are compared as "
        "in `where`. A row without a value (empty, null, NaN) is not observed.",
        examples=[["50000+."]],
    )


class Task(Section):
    """One thing to predict of every example."""

    kind: Literal["binary", "regression"] = Field(description="A probability, or a value.", examples=["binary"])
    outcome: str | None = Field(
        default=None, description="The stream whose events are the positives (logs).", examples=["click"]
    )
    window: Duration | None = Field(
        default=None, description="How long after the impression an outcome still counts (logs).", examples=["7d"]
    )
    given: str | None = Field(
        default=None,
        description="A binary task that must have happened for this one to be observed: elsewhere the weight is 0.",
        examples=["click"],
    )
    aggregate: Literal["sum", "max"] = Field(
        default="sum", description="Regression: several outcomes of one impression are summed, or the largest counts."
    )
    label: Label | None = Field(
        default=None,
        description="Where the label stands (labelled examples).",
        examples=[{"column": "income", "positive": ["50000+."]}],
    )
    loss: str | None = Field(
        default=None,
        description="binary: `binary_crossentropy`. regression: `squared_error`, `absolute_error`, `huber`, "
        "`squared_log_error`, `poisson`. By default the first of its kind.",
        examples=["squared_log_error"],
    )
    weight: Annotated[float, Field(gt=0.0), Number] = Field(
        default=1.0, description="Weight of the task's loss among the tasks.", examples=[1.0]
    )
    metrics: tuple[str, ...] | None = Field(
        default=None,
        description="Metrics to report; by default all of its kind. binary: `auc`, `log_loss`, `pr_auc`, `calibration`, "
        "`gauc`. regression: `rmse`, `mae`, `calibration`. `example_count` and `positive_count` always.",
        examples=[["auc", "log_loss"]],
    )
    gates: Annotated[
        tuple[Gate, ...] | None,
        pydantic.WrapValidator(_own_gates, json_schema_input_type=tuple[Gate, ...] | Literal["none"]),
    ] = Field(
        default=None,
        description="What must hold for a push, instead of the default gates: log_loss (regression: rmse) better than that of "
        "the train split's mean label, and calibration within [0.5, 2]. `none`: no gate.",
        examples=[[{"metric": "auc", "at_least": 0.7}]],
    )
    unmeasured: Literal["refuse", "allow"] = Field(
        default="refuse",
        description="What follows when no eval example of the task is observed, so that nothing of it can be measured. "
        "`refuse`: the model is not blessed, whatever the gates. `allow`: it may be, and the task's gates are passed over.",
        examples=["allow"],
    )


# ---- validation, model, training, evaluation, serving -------------------------------------------------------------


class Validation(Section):
    """What must be true of the examples before anything is learned from them."""

    schema_path: str | None = Field(
        default=None,
        alias="schema",
        description="A curated TFDV schema (text proto), relative to the recipe. Without it one is inferred, and only "
        "drift can be found.",
        examples=["shop_schema.pbtxt"],
    )
    on_anomaly: Literal["stop", "warn"] = Field(
        default="stop", description="What a departure from the curated schema does."
    )
    drift: Mapping[str, Annotated[float, Field(gt=0.0), Number]] = Field(
        default={},
        description="Column -> largest distance to the last good run: L-infinity of the shares for texts and ids, "
        "Jensen-Shannon divergence for numbers.",
        examples=[{"device": 0.1}],
    )
    on_drift: Literal["stop", "warn"] = Field(default="stop", description="What a drift beyond its limit does.")

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class ModelOptions(Section):
    """How the tasks share, and how their losses are balanced."""

    architecture: str = Field(default="mmoe", description="How the tasks share. See the table below.", examples=["ple"])
    options: Mapping[str, Mapping[str, Any]] = Field(
        default={},
        description="Options by architecture: those of the one in use apply, so `--set model.architecture=...` is enough "
        "to change over.",
        examples=[{"mmoe": {"experts": 8}}],
    )
    balancer: str = Field(default="fixed", description="How the tasks' losses are balanced. See the table below.")
    balancer_options: Mapping[str, Mapping[str, Any]] = Field(
        default={}, description="Options by balancer.", examples=[{"pcgrad": {}}]
    )
    penalties: Mapping[str, Mapping[str, Any]] = Field(
        default={},
        description="Penalties added to the loss, with their options.",
        examples=[{"l2": {"strength": 1e-6}}],
    )
    embedding_dim: Annotated[int, Field(ge=1, le=1024), Number] = Field(
        default=16, description="Width of the embeddings of features that don't state one.", examples=[16]
    )


class Training(Section):
    """One training run."""

    epochs: Annotated[int, Field(ge=1), Number] = Field(default=5, description="Most passes over the train split.")
    batch_size: Annotated[int, Field(ge=1, le=16_777_216), Number] = Field(
        default=4096, description="Examples per step, of all GPUs together; each takes an equal part."
    )
    optimizer: Literal["adam", "adagrad", "sgd"] = Field(default="adam", description="Keras optimizer.")
    learning_rate: Annotated[float, Field(gt=0.0), Number] = Field(default=0.001, description="Its learning rate.")
    table_optimizer: str | None = Field(
        default=None,
        description="What moves the embedding tables, of which a step touches the batch's rows only: `adam` (lazy: "
        "moments of these rows), `adagrad` (row-wise: one accumulator for each row), `sgd`. By default as `optimizer`.",
        examples=["adagrad"],
    )
    table_learning_rate: Annotated[float, Field(gt=0.0), Number] | None = Field(
        default=None, description="Its learning rate; by default `learning_rate`.", examples=[0.02]
    )
    clip_norm: Annotated[float, Field(gt=0.0), Number] | None = Field(
        default=None,
        description="Largest norm of a step's gradient, of all variables and embedding rows together; a larger one is "
        "scaled down to it.",
        examples=[1.0],
    )
    seed: Annotated[int, Field(ge=0), Number] = Field(
        default=1, description="Seed of initial values, order and dropout."
    )
    patience: Annotated[int, Field(ge=0), Number] = Field(
        default=1,
        description="Epochs without a better eval loss before the training stops. The best weights are kept.",
    )
    precision: Literal["float32", "mixed_bfloat16"] = Field(
        default="float32",
        description="`mixed_bfloat16`: the layers between the embedding tables and the logits compute in bfloat16 while "
        "training; variables, gates, logits and losses stay float32, and so does the exported model. For CPUs with "
        "avx512_bf16 or amx_bf16, and for GPUs.",
    )
    jit_compile: bool = Field(
        default=True,
        description="Compile the step with XLA. Under `mixed_bfloat16` on a CPU only parts of it are: XLA has no bfloat16 "
        "products there. On several GPUs it never is.",
    )
    steps_per_execution: Annotated[int, Field(ge=1, le=100_000), Number] = Field(
        default=1, description="Steps that run as one call into TensorFlow; on several GPUs always 1.", examples=[20]
    )
    checkpoint_minutes: Annotated[float, Field(gt=0.0), Number] = Field(
        default=10.0,
        description="Minutes of training after which the state is kept, besides after each epoch: a run that is killed "
        "goes on from there, with the same result.",
    )


class Truth(Section):
    """Known true probabilities (simulated logs): the report then says how far the model is from the best possible."""

    path: NonEmpty = Field(description="File or glob, relative to `data`.", examples=["truth/*.parquet"])
    event_id: NonEmpty = Field(description="Column with the impression's event id.", examples=["impression_id"])
    columns: Mapping[str, NonEmpty] = Field(
        description="Task -> column with its true probability or mean.", examples=[{"click": "p_click"}]
    )


class Evaluation(Section):
    """What is measured on the eval split besides each task's metrics overall."""

    slices: tuple[tuple[NonEmpty, ...], ...] = Field(
        default=(),
        description="Columns whose values make slices; several columns in one entry are crossed.",
        examples=[[["device"], ["device", "country"]]],
    )
    group_key: NonEmpty | None = Field(
        default=None, description="Column that groups examples for GAUC, mostly the user.", examples=["user_id"]
    )
    max_slice_values: Annotated[int, Field(ge=1), Number] = Field(
        default=100, description="Most values of one slice entry that are reported: those with the most examples."
    )
    truth: Truth | None = Field(
        default=None,
        description="Known true probabilities, of simulated logs.",
        examples=[{"path": "truth/*.parquet", "event_id": "impression_id", "columns": {"click": "p_click"}}],
    )


class Serving(Section):
    """What is pushed."""

    model_name: Name | None = Field(
        default=None, description="Folder of the pushed versions; by default the recipe's name."
    )
    probe_requests: Annotated[int, Field(ge=1, le=1000), Number] = Field(
        default=20, description="Real requests that the exported model must answer before it may be pushed."
    )
    tolerance: Annotated[float, Field(gt=0.0), Number] = Field(
        default=1e-5, description="Largest allowed difference between a served prediction and the trainer's."
    )
    score: str | None = Field(
        default=None,
        description="The number that the signature `rank` orders the candidates by: a formula of tasks, numbers, "
        "`weights`, `+ - *`, `^` for powers, `/` by numbers, and parentheses. By default the first task. It lies in the "
        "exported model: another formula trains again, another value of a tunable weight does not.",
        examples=["click * (0.3 + order) ^ 0.5 + 0.1 * cart"],
    )
    weights: Mapping[Name, Real] = Field(
        default={}, description="Numbers with a name, to use in `score`.", examples=[{"taste": 0.5}]
    )
    tunable_weights: bool = Field(
        default=False,
        description="Makes each of the `weights` an optional input of the signature `rank`, so that a request may try "
        "another value; the one here is its default.",
        examples=[True],
    )
    page: Annotated[int, Field(ge=1, le=10_000), Number] = Field(
        default=500, description="Candidates of the `rank` request whose time and answer the probe measures."
    )
    max_latency_ms: Annotated[float, Field(gt=0.0), Number] | None = Field(
        default=None,
        description="Longest time that the exported model may take for 99 of 100 `rank` requests of `page` candidates, in "
        "the probe's own process. Beyond it the model is not pushed.",
        examples=[50.0],
    )
    max_size_mib: Annotated[float, Field(gt=0.0), Number] | None = Field(
        default=None, description="Largest size of the exported model's files together.", examples=[2048.0]
    )
    keep_versions: Annotated[int, Field(ge=2), Number] | None = Field(
        default=None,
        description="How many of the newest pushed versions a push keeps; it removes older ones, a ranker and its retrieval "
        "model together. What was pushed just now, and what `gatewise serving-config` has chosen, always stays. By default "
        "nothing is removed.",
        examples=[10],
    )


class Beam(Section):
    """How the data stages run."""

    runner: str = Field(
        default="FnApiRunner",
        description="Beam's engine: `FnApiRunner` is this machine; `DaskRunner`, `PortableRunner`, `FlinkRunner`, "
        "`SparkRunner`, `DataflowRunner`, or the path of a runner's class. Never changes the result.",
        examples=["DaskRunner"],
    )
    flags: tuple[str, ...] = Field(
        default=(),
        description="Beam's flags: where the engine's cluster is, and whatever else it knows.",
        examples=[["--dask_client_address=tcp://dask-scheduler:8786"]],
    )
    partitions: Annotated[int, Field(ge=1, le=65_536), Number] | None = Field(
        default=None,
        description="Partitions of the join; by default one for every 500,000 rows or so. Never changes the result.",
        examples=[16],
    )


class Recipe(Section):
    """A whole problem: from logs or labelled examples to a pushed model."""

    name: Name = Field(description="Name of the pipeline, and of its folder under the root.", examples=["shop"])
    description: str = Field(
        default="", description="What it is for, in a sentence.", examples=["Clicks and orders of the shop."]
    )
    data: str = Field(
        default=".",
        description="Folder of the data files, relative to the recipe, or a URL of `s3://`, `gs://` or `minio://`; `--data` "
        "overrides it.",
        examples=["../data", "s3://shop/logs"],
    )
    logs: Logs | None = Field(
        default=None,
        description="Event logs to make examples from. Either this or `examples`.",
        examples=[{"impressions": "shown", "streams": {}}],
    )
    examples: LabelledExamples | None = Field(
        default=None,
        description="Labelled examples. Either this or `logs`.",
        examples=[{"path": "train.parquet", "eval_path": "test.parquet"}],
    )
    split: Split = Field(
        default=Split(), description="What trains and what evaluates.", examples=[{"eval_fraction": 0.2}]
    )
    features: Mapping[Name, Feature] = Field(
        min_length=1,
        description="The model's inputs by name.",
        examples=[{"price": {"kind": "numeric", "transform": "log1p"}}],
    )
    tasks: Mapping[Name, Task] = Field(
        min_length=1,
        description="What to predict, by name.",
        examples=[{"click": {"kind": "binary", "outcome": "click", "window": "30m"}}],
    )
    validation: Validation = Field(
        default=Validation(), description="Checks on the examples.", examples=[{"drift": {"device": 0.1}}]
    )
    model: ModelOptions = Field(
        default=ModelOptions(), description="Architecture and balancing.", examples=[{"architecture": "ple"}]
    )
    training: Training = Field(default=Training(), description="The training run.", examples=[{"epochs": 3}])
    evaluation: Evaluation = Field(
        default=Evaluation(), description="Slices, groups, truth.", examples=[{"slices": [["device"]]}]
    )
    retrieval: Retrieval | None = Field(
        default=None,
        description="A retrieval model beside the ranker; without it there is none.",
        examples=[{"user": "user_id", "item": "item_id", "positives": {"click": 1.0}}],
    )
    serving: Serving = Field(default=Serving(), description="Probe and push.", examples=[{"model_name": "shop"}])
    beam: Beam = Field(default=Beam(), description="How the data stages run.", examples=[{"partitions": 16}])
    kubeflow: Kubeflow | None = Field(
        default=None,
        description="Where the pipeline runs on Kubeflow; `gatewise compile` and `gatewise schedule` read it.",
        examples=[{"pipeline_root": "s3://recommender/pipelines"}],
    )

    @property
    def asks_for_best(self) -> bool:
        """Whether a gate compares with the best blessed value."""
        return any(gate.max_loss_to_best is not None for task in self.tasks.values() for gate in task.gates or ())


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


def loss_of(task: Task) -> str:
    """The task's loss, or the default of its kind."""
    return task.loss or {"binary": "binary_crossentropy", "regression": "squared_error"}[task.kind]


METRICS = {
    "binary": ("auc", "log_loss", "pr_auc", "calibration", "gauc"),
    "regression": ("rmse", "mae", "calibration"),
}
COUNTS = ("example_count", "positive_count")
LOWER_IS_BETTER = ("log_loss", "rmse", "mae")


def metrics_of(task: Task) -> tuple[str, ...]:
    """The metrics that the task reports; the counts, which every task reports, are not among them."""
    return task.metrics if task.metrics is not None else METRICS[task.kind]
