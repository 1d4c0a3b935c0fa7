"""Parses the user of a request, one JSON object, and splits its columns between the two models."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.recipe.errors import InputError
from models.recipe.registry import known
from pipeline.json_values import json_object

WHERE = "--user"


def read_user(text: str) -> dict[str, Any]:
    """Parses an option's JSON object, given inline or as a path with or without a leading @.

    Raises:
        InputError: the file does not exist, or the text is not a JSON object.
    """
    where = WHERE
    if not text.lstrip().startswith(("{", "[")):
        path = Path(text.removeprefix("@"))
        where = f"{WHERE} {str(path)[:200]}"
        try:
            text = path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError, ValueError) as error:
            why = getattr(error, "strerror", None) or error
            raise InputError(
                f'{where}: cannot be read ({why}); expected a JSON object, such as \'{{"country": "DE"}}\', or a file that contains one.'
            ) from None
    return json_object(text, where)


def parts_of(
    user: Mapping[str, Any], ranker: Mapping[str, Any], retrieval: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The columns of the ranker and the columns of the retrieval model. Some columns are in both.

    Args:
        user: {column: value}, with `history` and `exclude`.
        ranker, retrieval: the models' notes, from `inputs.read_inputs`.

    Raises:
        InputError: neither model reads a column, or a column belongs to the items.
    """
    of_items = {column for column, about in ranker["inputs"].items() if about["side"] == "item"}
    of_ranker = {column for column in ranker["inputs"] if column not in of_items}
    of_retrieval = set(retrieval["inputs"])
    for column in user:
        if column in of_ranker | of_retrieval:
            continue
        if column in of_items:
            raise InputError(
                f"{WHERE}: the column {column!r} belongs to the items and is read from the item table. Remove it."
            )
        names = of_ranker | of_retrieval
        if column == retrieval["user"]["column"]:
            raise InputError(
                f"{WHERE}: {column!r} is the user id, but no feature of the recipe reads it. Remove it. Columns that are "
                f"read: {', '.join(sorted(names))}."
            )
        raise InputError(f"{WHERE}: unknown column {column!r}; {known(column, names)}")
    return (
        {column: value for column, value in user.items() if column in of_ranker},
        {column: value for column, value in user.items() if column in of_retrieval},
    )
