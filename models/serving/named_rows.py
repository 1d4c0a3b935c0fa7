"""Rows of a request as named columns: the arrays that the signatures `raw` and `rank` take. NumPy only.

A column with one value for each row is (row,), one with lists is (row, longest), filled up. What is missing is written
as MISSING of its type, as an array has a value everywhere: the model takes it for no value.
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
"""What stands for no value, by type. In TensorFlow Serving's REST: "", -9223372036854775808 and NaN."""

DTYPES: dict[str, Any] = {"bytes": object, "int": np.int64, "float": np.float32}

_INT64 = range(-(2**63), 2**63)
_FLOAT32_MAX = 3.4028234663852886e38


def named_columns(
    rows: Sequence[Mapping[str, Any]], inputs: Mapping[str, Mapping[str, Any]], columns: Iterable[str], where: str
) -> dict[str, np.ndarray]:
    """The rows, column by column.

    A column that is left out, None or an empty list is missing. A column of texts also takes whole numbers and truth
    values, as their text in the logs, a column of whole numbers also takes 7.0, and a text with the separator of its
    multi-valued column is split, as in `serving_inputs.serialize_examples`.

    Args:
        rows: {column: value or list of values} for each row.
        inputs: {column: {"type": "bytes" | "int" | "float", "multivalued": bool, "separator": str | None, ...}}.
        columns: those wanted, of `inputs`.
        where: the request in words, put before each error.

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
    """One ranking request, column by column.

    Args:
        request: {"user": {column: value}, "candidates": [{column: value}, ...]}. What is the same for all candidates,
            such as the device, may stand beside the user's columns: the model repeats it.
        inputs: as for `named_columns`, with "side"; without it, what no candidate has is taken to stand once.
        where: the request in words, put before each error.

    Returns:
        {column: (1,) or (1, longest) of what stands once, else (candidate,) or (candidate, longest)}.

    Raises:
        InputError: it is no such request, or a user's column stands in a candidate.
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
                f"{where}, candidate {number}: the column {twice[0]!r} belongs to the user, or stands there already. "
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
    """A ranking request as `rank_columns` takes it: the user's columns of one row, the others of the candidates' rows."""
    of_user = [column for column, about in inputs.items() if about["side"] == "user"]
    return {
        "user": {column: user[column] for column in of_user if column in user},
        "candidates": [{column: value for column, value in row.items() if column not in of_user} for row in candidates],
    }


def checked_values(value: Any, about: Mapping[str, Any], where: str) -> list[Any]:
    """A column's values in one row, as JSON gives them: texts as bytes, numbers within their type; [] for missing.

    NaN is missing, as in the logs. Infinity passes: the transform graph takes it for missing.

    Raises:
        InputError: a value of another type, or several for a column that takes one; begins with `where`.
    """
    kind, separator = about["type"], about.get("separator")
    if separator and isinstance(value, str) and kind == "bytes":
        value = value.split(separator)
    values = [] if value is None else list(value) if isinstance(value, list | tuple) else [value]
    if len(values) > 1 and not about["multivalued"]:
        raise InputError(f"{where}: expected one value, received {len(values)}: {value!r}.")
    if kind != "float":  # the one type that can say itself that there is no value
        values = [one for one in values if not (isinstance(one, float) and math.isnan(one))]
    return [_CHECKS[kind](one, where) for one in values]


def _bytes(value: Any, where: str) -> bytes:
    if isinstance(value, bytes):
        return value
    if not isinstance(value, str | int) and not _is_whole(value):
        raise InputError(f"{where}: expected a text, received {value!r}.")
    try:
        return text_of(value).encode("utf-8")
    except UnicodeEncodeError:  # half a surrogate pair, which JSON can write
        raise InputError(f"{where}: expected a text of Unicode characters, received {value!r}.") from None


def _int(value: Any, where: str) -> int:
    if _is_whole(value):
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value not in _INT64:
        raise InputError(f"{where}: expected a whole number of 64 bits, received {value!r}.")
    return value


def _is_whole(value: Any) -> bool:
    """Whether it is a float that says which whole number it is."""
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
