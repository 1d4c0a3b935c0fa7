"""Rows of a request as named columns: the arrays that the signatures `raw` and `rank` take. NumPy only.

A column with one value per row is (row,); a column of lists is (row, longest), padded. An array needs a value everywhere,
so a missing value is MISSING of its type, which the model reads as missing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from models.features.value_texts import text_of
from models.recipe.errors import InputError
from models.recipe.registry import known

MISSING: dict[str, Any] = {"bytes": b"", "int": -(2**63), "float": float("nan")}
"""Marker of a missing value, by type. In the REST API of TensorFlow Serving: "", -9223372036854775808 and NaN."""

DTYPES: dict[str, Any] = {"bytes": object, "int": np.int64, "float": np.float32}

_INT64 = range(-(2**63), 2**63)
_FLOAT32_MAX = 3.4028234663852886e38


def named_columns(
    rows: Sequence[Mapping[str, Any]], inputs: Mapping[str, Mapping[str, Any]], columns: Iterable[str], where: str
) -> dict[str, np.ndarray]:
    """Converts rows to columns.

    A column is missing if it is absent, None or an empty list. A text column also accepts whole numbers and truth values,
    as the text that they have in the logs. An integer column also accepts 7.0. A text with the separator of its
    multi-valued column is split, as in `models.serving.inputs.serialize_examples`.

    Args:
        rows: {column: value or list of values} for each row.
        inputs: {column: {"type": "bytes" | "int" | "float", "multivalued": bool, "separator": str | None, "length": int |
            None, ...}}.
        columns: the columns of `inputs` to convert.
        where: prefix of error messages.

    Returns:
        {column: (row,) or (row, longest list)}, of DTYPES.

    Raises:
        InputError: an unknown column, a value of another type, or several values for a column that takes one.
    """
    for number, row in enumerate(rows):
        if not isinstance(row, Mapping):
            raise InputError(f"{where}, row {number}: expected an object of columns and values, received {row!r}.")
        for column in row:
            if column not in inputs:
                raise InputError(f"{where}, row {number}: unknown column {column!r}; {known(column, inputs)}")
    return {
        column: _array(
            [
                checked_values(row.get(column), inputs[column], f"{where}, row {i}, column {column!r}")
                for i, row in enumerate(rows)
            ],
            inputs[column],
        )
        for column in columns
    }


def rank_columns(
    request: Mapping[str, Any], inputs: Mapping[str, Mapping[str, Any]], where: str = "Request"
) -> dict[str, np.ndarray]:
    """Converts a ranking request to columns.

    Args:
        request: {"user": {column: value}, "candidates": [{column: value}, ...]}. Columns that are equal for all
            candidates, such as the device, may be in "user": the model repeats them.
        inputs: as in `named_columns`, with "side". Without a side, a column that no candidate has is given once.
        where: prefix of error messages.

    Returns:
        {column: (1,) or (1, longest) if it is given once, else (candidate,) or (candidate, longest)}.

    Raises:
        InputError: the request is malformed, or a candidate has a user column.
    """
    if not isinstance(request, Mapping) or not set(request) <= {"user", "candidates"}:
        raise InputError(
            f'{where}: expected {{"user": {{column: value}}, "candidates": [{{column: value}}, ...]}}, received '
            f"{str(request)[:200]}."
        )
    user, candidates = request.get("user") or {}, request.get("candidates")
    if not isinstance(user, Mapping) or not isinstance(candidates, list | tuple):
        raise InputError(f"{where}: expected an object 'user' and a list 'candidates', received {str(request)[:200]}.")
    of_candidates = {column for candidate in candidates if isinstance(candidate, Mapping) for column in candidate}
    once = {
        column
        for column, about in inputs.items()
        if column in user or about.get("side") == "user" or ("side" not in about and column not in of_candidates)
    }
    for number, candidate in enumerate(candidates):
        if isinstance(candidate, Mapping) and (twice := sorted(once & set(candidate))):
            raise InputError(
                f"{where}, candidate {number}: the column {twice[0]!r} is a user column, or is already in 'user'. "
                "Give it once, in 'user'."
            )
    each = [column for column in inputs if column not in once]
    return {
        **named_columns([user], inputs, [column for column in inputs if column in once], f"{where}, user"),
        **named_columns(candidates, inputs, each, f"{where}, candidates"),
    }


def page_of(
    user: Mapping[str, Any], candidates: Iterable[Mapping[str, Any]], inputs: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """A ranking request for `rank_columns`: the user columns of one row, and the other columns of the candidates."""
    of_user = [column for column, about in inputs.items() if about["side"] == "user"]
    return {
        "user": {column: user[column] for column in of_user if column in user},
        "candidates": [{column: value for column, value in row.items() if column not in of_user} for row in candidates],
    }


def checked_values(value: Any, about: Mapping[str, Any], where: str) -> list[Any]:
    """Values of a column in one row of a JSON request: texts as bytes, numbers within their type; [] if missing.

    NaN is missing, as in the logs. Infinity is kept, and the transform graph reads it as missing. A vector with either is missing.

    Raises:
        InputError: a value of another type, several values for a single-valued column, or a vector of another length. Begins with
            `where`.
    """
    kind, separator = about["type"], about.get("separator")
    if separator and isinstance(value, str) and kind == "bytes":
        value = value.split(separator)
    values = [] if value is None else list(value) if isinstance(value, list | tuple) else [value]
    if len(values) > 1 and not about["multivalued"]:
        raise InputError(f"{where}: expected one value, received {len(values)}: {value!r}.")
    length = about.get("length")
    if length is not None and values and len(values) != length:
        raise InputError(
            f"{where}: expected a list of {length} numbers, received {len(values)}. Give the whole vector."
        )
    if kind != "float":  # NaN already marks a missing float
        values = [one for one in values if not (isinstance(one, float) and math.isnan(one))]
    return [_CHECKS[kind](one, where) for one in values]


def _bytes(value: Any, where: str) -> bytes:
    if isinstance(value, bytes):
        return value
    if not isinstance(value, str | int) and not _is_whole(value):
        raise InputError(f"{where}: expected a text, received {value!r}.")
    try:
        return text_of(value).encode("utf-8")
    except UnicodeEncodeError:  # an unpaired surrogate, which JSON allows
        raise InputError(f"{where}: expected a text of Unicode characters, received {value!r}.") from None


def _int(value: Any, where: str) -> int:
    if _is_whole(value):
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value not in _INT64:
        raise InputError(f"{where}: expected a whole number of 64 bits, received {value!r}.")
    return value


def _is_whole(value: Any) -> bool:
    """Whether a float is an exact whole number."""
    return isinstance(value, float) and value.is_integer() and abs(value) < 2.0**53


def _float(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or _FLOAT32_MAX < abs(value) < float("inf"):
        raise InputError(f"{where}: expected a number of 32 bits, received {value!r}.")
    return float(value)


_CHECKS = {"bytes": _bytes, "int": _int, "float": _float}


def _array(values: Sequence[Sequence[Any]], about: Mapping[str, Any]) -> np.ndarray:
    missing = MISSING[about["type"]]
    if not about["multivalued"]:
        return np.array([row[0] if row else missing for row in values], DTYPES[about["type"]])
    longest = max((len(row) for row in values), default=0)
    array = np.full((len(values), longest), missing, DTYPES[about["type"]])
    for number, row in enumerate(values):
        array[number, : len(row)] = row
    return array
