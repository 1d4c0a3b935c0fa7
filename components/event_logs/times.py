"""Event times of any unit as microseconds since 1970 UTC, or the reason why a row has none."""

from __future__ import annotations

import zoneinfo

import numpy as np
import polars as pl

from components.event_logs.column_plan import TimePlan
from models.recipe.errors import InputError

NAIVE = "time without an offset from UTC, and the stream has no `zone`"
EARLIEST = 631_152_000_000_000  # 1990-01-01: earlier times are epochs in a wrong unit or zeros
LATEST = 4_102_444_800_000_000  # 2100-01-01
_MICROS = {"s": 1e6, "ms": 1e3, "us": 1.0, "ns": 1e-3}
_BOUND = 9.2e18
_ISO = (
    r"^\s*(?<date>\d{4}-\d{2}-\d{2})(?:[Tt ](?<hour>\d{2}:\d{2})(?::(?<second>\d{2})(?:[.,](?<fraction>\d{1,9}))?)?)?"
    r"\s*(?<offset>[Zz]|[Uu][Tt][Cc]|[+-]\d{2}:?\d{2}|[+-]\d{2})?\s*$"
)
_MOST_MINUTES = 14 * 60  # largest offset from UTC


def micros(column: pl.Series, time: TimePlan, where: str) -> tuple[pl.Series, pl.Series]:
    """(Int64 microseconds, String reason): one of the two is null in every row.

    Fractions are rounded to whole microseconds; integer nanoseconds are floored. Texts are ISO 8601 (" UTC" may replace Z),
    or in the format `time.format`. A text without offset and a Parquet timestamp without zone are read in `time.zone`. Local
    times that the zone skips or repeats are refused.

    Raises:
        InputError: the column's type cannot hold times in this unit, or the zone is unknown. The message begins with `where`.
    """
    text_column = f"time column {time.column!r}"
    if column.dtype.is_temporal():
        values, reasons = _of_timestamps(column, time, where)
    elif time.unit == "text":
        if column.dtype not in (pl.String, pl.Null):
            raise InputError(
                f"{where}: {text_column} has type {column.dtype}, but `unit: text` expects ISO 8601 texts or timestamps. "
                "Set the unit of the numbers: s, ms, us or ns."
            )
        read = _of_texts if time.format is None else _of_formatted
        values, reasons = read(column.cast(pl.String), time, where)
    else:
        if not (column.dtype.is_numeric() or column.dtype in (pl.String, pl.Null)):
            raise InputError(f"{where}: {text_column} has type {column.dtype}; expected numbers in {time.unit!r}.")
        values, reasons = _of_numbers(column, time)
    frame = pl.DataFrame({"value": values, "reason": reasons}).select(
        "value",
        pl.when(pl.col("reason").is_null() & (pl.col("value") < EARLIEST))
        .then(pl.lit("time before 1990"))
        .otherwise("reason")
        .alias("reason"),
    )
    return frame.select(pl.when(pl.col("reason").is_null()).then("value").alias("value"))["value"], frame["reason"]


def likely_unit(reason: str) -> str | None:
    """The unit that a reason of `micros` suggests instead of the recipe's; None if it suggests none."""
    return reason.rpartition("plausible in ")[2].strip("')") if "plausible in " in reason else None


def _of_numbers(column: pl.Series, time: TimePlan) -> tuple[pl.Series, pl.Series]:
    stripped = column.str.strip_chars() if column.dtype == pl.String else column
    absent = stripped.is_null() | (stripped == "" if column.dtype == pl.String else False)
    numbers = stripped.cast(pl.Float64, strict=False).fill_nan(None)
    scaled = (numbers * _MICROS[time.unit]).fill_null(0.0).to_numpy()
    result = np.clip(np.rint(scaled), -_BOUND, _BOUND).astype(np.int64)
    if not (
        column.dtype.is_float() or column.dtype.is_decimal()
    ):  # integers beyond 2^53, such as nanoseconds, are not exact as floats
        whole = stripped.cast(pl.Int64, strict=False)
        fits = whole.is_not_null().to_numpy() & (np.abs(scaled) < _BOUND)
        exact = np.where(fits, whole.fill_null(0).to_numpy(), 0)
        result = np.where(fits, exact // 1000 if time.unit == "ns" else exact * int(_MICROS[time.unit]), result)
    reasons = pl.repeat(None, len(column), dtype=pl.String, eager=True)
    outside = (scaled < EARLIEST) | (scaled >= LATEST)
    if outside.any():
        reasons = _with_unit_hints(reasons, outside, numbers.fill_null(0.0).to_numpy(), time)
    if numbers.null_count():
        texts = pl.when(absent).then(pl.lit(f"no time in column {time.column!r}"))
        unread = texts.when(numbers.is_null()).then(pl.lit(f"time is not a number in column {time.column!r}"))
        reasons = pl.select(unread.otherwise(reasons).alias("reason"))["reason"]
    return pl.Series(result), reasons


def _with_unit_hints(reasons: pl.Series, outside: np.ndarray, raw: np.ndarray, time: TimePlan) -> pl.Series:
    for unit, factor in _MICROS.items():
        fits = pl.Series(outside & (raw * factor >= EARLIEST) & (raw * factor < LATEST))
        text = f"time outside 1990-2100 in {time.unit!r} (plausible in {unit!r})"
        reasons = pl.select(pl.when(fits).then(pl.lit(text)).otherwise(reasons).alias("reason"))["reason"]
    return reasons


def _of_timestamps(column: pl.Series, time: TimePlan, where: str) -> tuple[pl.Series, pl.Series]:
    dtype = column.dtype
    if time.unit != "text" or not isinstance(dtype, pl.Datetime | pl.Date):
        raise InputError(
            f"{where}: time column {time.column!r} has type {dtype}, but the recipe has `unit: {time.unit}`. "
            "To read timestamps, set `unit: text`."
        )
    naive = column.cast(pl.Datetime("us", getattr(dtype, "time_zone", None)))
    absent = pl.when(naive.is_null()).then(pl.lit(f"no time in column {time.column!r}"))
    reasons = pl.select(absent.alias("reason"))["reason"]
    if getattr(dtype, "time_zone", None):
        return naive.to_physical(), reasons
    return _in_zone(naive, pl.repeat(None, len(naive), dtype=pl.Int64, eager=True), reasons, time, where)


def _of_texts(column: pl.Series, time: TimePlan, where: str) -> tuple[pl.Series, pl.Series]:
    parts = column.alias("text").to_frame().select(pl.col("text").str.extract_groups(_ISO)).unnest("text")
    sign = pl.when(pl.col("offset").str.starts_with("-")).then(-1).otherwise(1)
    digits = pl.col("offset").str.replace_all(r"[^0-9]", "")
    minutes = digits.str.slice(0, 2).cast(pl.Int64, strict=False) * 60 + pl.coalesce(
        digits.str.slice(2, 2).cast(pl.Int64, strict=False), pl.lit(0)
    )
    clock = pl.coalesce("hour", pl.lit("00:00")) + ":" + pl.coalesce("second", pl.lit("00"))
    fraction = pl.coalesce("fraction", pl.lit("")).str.pad_end(6, "0").str.slice(0, 6).cast(pl.Int64, strict=False)
    parsed = parts.select(
        (
            (pl.col("date") + "T" + clock).str.to_datetime("%Y-%m-%dT%H:%M:%S", time_unit="us", strict=False)
            + pl.duration(microseconds=fraction, time_unit="us")
        ).alias("naive"),
        pl.when(pl.col("offset").is_null())
        .then(None)
        .when(pl.col("offset").str.to_uppercase().is_in(["Z", "UTC"]))
        .then(0)
        .otherwise(sign * minutes)
        .alias("minutes"),
        ((minutes > _MOST_MINUTES) | (digits.str.slice(2, 2).cast(pl.Int64, strict=False) > 59))
        .fill_null(False)
        .alias("far"),
    )
    naive, stripped = parsed["naive"], column.str.strip_chars()
    reasons = pl.select(
        pl.when(stripped.is_null() | (stripped == ""))
        .then(pl.lit(f"no time in column {time.column!r}"))
        .when(naive.is_null())
        .then(pl.lit(f"time is not ISO 8601 in column {time.column!r}"))
        .when(parsed["far"])
        .then(pl.lit(f"impossible offset from UTC in time column {time.column!r}"))
        .alias("reason")
    )["reason"]
    return _in_zone(naive, parsed["minutes"], reasons, time, where)


def _of_formatted(column: pl.Series, time: TimePlan, where: str) -> tuple[pl.Series, pl.Series]:
    stripped = column.str.strip_chars()
    found = stripped.str.to_datetime(time.format, time_unit="us", strict=False)
    reasons = pl.select(
        pl.when(stripped.is_null() | (stripped == ""))
        .then(pl.lit(f"no time in column {time.column!r}"))
        .when(found.is_null())
        .then(pl.lit(f"time does not match `format` {time.format!r} in column {time.column!r}"))
        .alias("reason")
    )["reason"]
    if getattr(found.dtype, "time_zone", None):
        return found.to_physical(), reasons
    return _in_zone(found, pl.repeat(None, len(found), dtype=pl.Int64, eager=True), reasons, time, where)


def _in_zone(
    naive: pl.Series, minutes: pl.Series, reasons: pl.Series, time: TimePlan, where: str
) -> tuple[pl.Series, pl.Series]:
    with_offset = naive.to_physical() - minutes * 60_000_000
    if time.zone is None:
        local = pl.repeat(None, len(naive), dtype=pl.Int64, eager=True)
        problem = NAIVE
    else:
        if time.zone not in zoneinfo.available_timezones():
            raise InputError(
                f"{where}: unknown time zone {time.zone!r}; expected an IANA name such as 'Europe/Vienna'."
            )
        zoned = naive.dt.replace_time_zone(time.zone, ambiguous="null", non_existent="null")
        local = zoned.dt.convert_time_zone("UTC").to_physical()
        problem = f"local time that {time.zone} skips or repeats"
    frame = pl.DataFrame({"offset": with_offset, "local": local, "minutes": minutes, "reason": reasons})
    value = pl.when(pl.col("minutes").is_not_null()).then("offset").otherwise("local")
    reason = pl.when(pl.col("reason").is_null() & value.is_null()).then(pl.lit(problem)).otherwise("reason")
    done = frame.select(value.alias("value"), reason.alias("reason"))
    return done["value"], done["reason"]
