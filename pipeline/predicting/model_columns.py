"""Arrow columns as the tensors that the signature `raw` takes, without Python code per row.

A value is converted as in the logs (`components.event_logs.values`): a column of texts also takes numbers and truth values, a
column of numbers also takes texts of numbers. Null, NaN, an infinite number, an empty text and an empty list are missing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import tensorflow as tf

from components.event_logs.parquet_rows import for_polars
from components.event_logs.values import cast, is_number, is_scalar
from models.recipe.errors import InputError, shown
from models.recipe.registry import known
from models.serving.named_rows import DTYPES, MISSING

WORDS = {"bytes": "a text", "int": "a whole number of 64 bits", "float": "a number of 32 bits"}
_ARROW: dict[str, Any] = {"int": pa.int64(), "float": pa.float32()}
_TENSORS = {"bytes": tf.string, "int": tf.int64, "float": tf.float32}
_types = pa.types


class WrongValueError(Exception):
    """A value that the model cannot read.

    Attributes:
        row: its row in the table.
        what: column, expected and received.
    """

    def __init__(self, row: int, what: str) -> None:
        super().__init__(what)
        self.row, self.what = row, what


def check_schema(
    schema: pa.Schema, inputs: Mapping[str, Mapping[str, Any]], absent: Collection[str], file: str
) -> None:
    """Checks that the input has each column that the model reads, with a type that can be converted.

    Args:
        schema: of the input.
        inputs: of the model: {column: {"type", "multivalued", "separator", ...}}.
        absent: columns that may be absent from the input.
        file: a file of the input, for messages.

    Raises:
        InputError: a column is absent, or its type cannot be converted.
    """
    lacking = [name for name in inputs if name not in schema.names and name not in absent]
    if lacking:
        raise InputError(
            f"{file}: expected the model's columns {', '.join(inputs)}; received {', '.join(schema.names) or 'none'}. "
            f"Lacking: {', '.join(lacking)}. Add them, or count them as missing in every row: --missing {','.join(lacking)}."
        )
    for name, about in inputs.items():
        if name in schema.names:
            received = schema.field(name).type
            if not _fits(received, about["type"]) or (about.get("length") and not _is_vector(received)):
                many = " or a list of such values" if about["multivalued"] else ""
                expected = _of_length(about["length"]) if about.get("length") else f"{WORDS[about['type']]}{many}"
                raise InputError(
                    f"{file}, column {name!r}: expected {expected}, received the type {received}. "
                    "Convert the column, or rename it and use --missing."
                )


def check_absent(absent: Collection[str], inputs: Mapping[str, Any], schema: pa.Schema) -> None:
    """Checks the columns that count as missing.

    Raises:
        InputError: the model reads no such column, or the input has it.
    """
    for name in absent:
        if name not in inputs:
            raise InputError(f"--missing {name}: the model reads no such column; {known(name, inputs)}")
        if name in schema.names:
            raise InputError(f"--missing {name}: the input has this column. Leave it out of --missing, or rename it.")
    if set(absent) >= set(inputs):
        raise InputError(
            f"--missing {','.join(absent)}: every row would have the same predictions. Expected at least one of the model's "
            f"columns {', '.join(inputs)} in the input; received {', '.join(schema.names) or 'none'}."
        )


def tensors(table: pa.Table, inputs: Mapping[str, Mapping[str, Any]], rows: int) -> dict[str, tf.Tensor]:
    """{column: (rows,), or (rows, longest list)}: the model's columns of a table.

    Args:
        table: at most `rows` rows. Columns that it lacks are left out; those that the model does not read are ignored.
        inputs: of the model.
        rows: number of rows of the tensors. The rows after those of the table have no values.

    Raises:
        WrongValueError: the first column with a value that cannot be converted.
    """
    return {
        name: _tensor(name, table.column(name), about, rows)
        for name, about in inputs.items()
        if name in table.column_names
    }


def longest(table: pa.Table, inputs: Mapping[str, Mapping[str, Any]]) -> int:
    """The number of values of the longest list in the model's columns of lists; at least 1."""
    found = 1
    for name, about in inputs.items():
        if name in table.column_names and is_list(table.schema.field(name).type) and about["multivalued"]:
            found = max(found, pc.max(pc.list_value_length(table.column(name))).as_py() or 1)
    return found


def is_list(kind: pa.DataType) -> bool:
    """Whether a column of this type has a list in each row."""
    return _types.is_list(kind) or _types.is_large_list(kind) or _types.is_fixed_size_list(kind)


def _fits(kind: pa.DataType, target: str) -> bool:
    if is_list(kind):
        kind = kind.value_type
    if _types.is_dictionary(kind):
        kind = kind.value_type
    if _types.is_null(kind) or (target == "bytes" and _is_text(kind)):
        return True
    if _types.is_binary(kind) or _types.is_large_binary(kind):
        return False
    try:
        dtype = pl.Series(pl.from_arrow(for_polars(pa.nulls(0, kind)))).dtype
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, pa.ArrowException, NotImplementedError):
        return False
    return is_scalar(dtype) and dtype.base_type() is not pl.Object and (target == "bytes" or is_number(dtype))


def _is_text(kind: pa.DataType) -> bool:
    tests = (_types.is_string, _types.is_large_string, _types.is_string_view)
    return any(test(kind) for test in (*tests, _types.is_binary, _types.is_large_binary, _types.is_binary_view))


def _tensor(name: str, column: pa.ChunkedArray, about: Mapping[str, Any], rows: int) -> tf.Tensor:
    array, lengths = column.combine_chunks(), None
    if isinstance(array, pa.ChunkedArray):  # no chunk at all
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.nulls(0, column.type)
    if about.get("length"):
        return _vectors(name, array, about["length"], about.get("separator") or ",", rows)
    if about["type"] == "bytes" and about.get("separator") and not is_list(array.type):
        texts = _plain(array)
        if _is_text(texts.type):
            array = pc.split_pattern(texts.cast(pa.large_string()), about["separator"])
    if is_list(array.type):
        lengths = pc.fill_null(pc.list_value_length(array), 0).to_numpy(zero_copy_only=False).astype(np.int64)
        if not about["multivalued"] and len(lengths) and lengths.max() > 1:
            row = int((lengths > 1).argmax())
            raise WrongValueError(row, f"column {name!r}: expected one value, received {shown(array[row].as_py())}")
        array = array.flatten()
    values = _converted(name, _plain(array), about["type"], lengths)
    return _laid_out(values, lengths, about, rows)


def _is_vector(kind: pa.DataType) -> bool:
    kind = kind.value_type if _types.is_dictionary(kind) else kind
    return is_list(kind) or _is_text(kind) or bool(_types.is_null(kind))


def _of_length(length: int) -> str:
    return f"a list of {length} finite numbers"


def _vectors(name: str, array: pa.Array, length: int, separator: str, rows: int) -> tf.Tensor:
    """(rows, length) float32: vectors; NaN in a row without one. A text such as "[0.1, -0.2]" is a vector, too.

    Raises:
        WrongValueError: a vector of another length, or with a value that is missing or not finite.
    """
    given = array
    if not is_list(array.type):
        texts = pc.utf8_trim(_plain(array).cast(pa.large_string()), " \t[]")
        texts = pc.if_else(pc.equal(texts, ""), pa.scalar(None, texts.type), texts)
        array = pc.split_pattern(texts, separator)
    lengths = pc.fill_null(pc.list_value_length(array), 0).to_numpy(zero_copy_only=False).astype(np.int64)
    values = _converted(name, _plain(array.flatten()), "float", lengths)
    there = lengths > 0
    spoilt = there & (lengths != length)
    spoilt[np.repeat(np.arange(len(lengths)), lengths)[values.is_null().to_numpy(zero_copy_only=False)]] = True
    if spoilt.any():
        row = int(spoilt.argmax())
        raise WrongValueError(
            row, f"column {name!r}: expected {_of_length(length)}, received {shown(given[row].as_py())}"
        )
    filled = np.full((rows, length), np.nan, np.float32)
    filled[: len(lengths)][there] = values.to_numpy(zero_copy_only=False).reshape(-1, length)
    return tf.constant(filled)


def _plain(array: pa.Array) -> pa.Array:
    """Decodes a dictionary."""
    return array.cast(array.type.value_type) if _types.is_dictionary(array.type) else array


def _converted(name: str, array: pa.Array, target: str, lengths: np.ndarray | None) -> pa.Array:
    """The values as texts or bytes, int64 or float32; null if missing."""
    if target == "bytes" and _is_text(array.type):
        return array
    if _types.is_null(array.type):
        return pa.nulls(len(array), _ARROW.get(target, pa.string()))
    series = pl.Series("value", pl.from_arrow(for_polars(array)))
    if series.dtype.is_float() and target != "bytes":
        series = series.set(series.is_infinite().fill_null(False), None)
    value, missing, wrong = cast(pl.col("value"), series.dtype, target)
    frame = series.to_frame().select(
        value=pl.when(~missing).then(value), wrong=pl.lit(False) if wrong is None else wrong
    )
    if frame["wrong"].any():
        place = int(frame["wrong"].fill_null(False).arg_max() or 0)
        row = place if lengths is None else int(np.searchsorted(np.cumsum(lengths), place, side="right"))
        raise WrongValueError(row, f"column {name!r}: expected {WORDS[target]}, received {shown(series[place])}")
    return frame["value"].to_arrow(compat_level=pl.CompatLevel.oldest())


def _laid_out(values: pa.Array, lengths: np.ndarray | None, about: Mapping[str, Any], rows: int) -> tf.Tensor:
    """Converted values, of each row or of its list, in (rows,) or (rows, longest list). Other places are missing."""
    kind = about["type"]
    width = max(int(lengths.max()) if lengths is not None and len(lengths) else 1, 1) if about["multivalued"] else 1
    shape = (rows, width) if about["multivalued"] else (rows,)
    if lengths is None:
        places = np.arange(len(values)) * width
    else:
        starts = np.cumsum(lengths) - lengths
        within = np.arange(len(values)) - np.repeat(starts, lengths)
        places = np.repeat(np.arange(len(lengths)) * width, lengths) + within
    # A dictionary of the texts and `tf.gather` take one and a half times as long.
    filled = np.full(rows * width, MISSING[kind], DTYPES[kind])
    arrow = pa.large_binary() if kind == "bytes" else _ARROW[kind]
    filled[places] = pc.fill_null(values.cast(arrow), MISSING[kind]).to_numpy(zero_copy_only=False)
    return tf.constant(filled.reshape(shape), _TENSORS[kind])
