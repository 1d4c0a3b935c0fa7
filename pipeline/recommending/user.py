"""The user of a question: one JSON object, of which each model gets the columns that it reads."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.recipe.errors import InputError
from models.recipe.registry import known
from pipeline.json_values import json_object

WHERE = "--user"


def read_user(text: str) -> dict[str, Any]:
    """The JSON object of an option's text: inline, or in the file that it names, with or without an @ before it.

    Raises:
        InputError: no such file, or no JSON object.
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
                f'{where}: cannot be read ({why}); expected a JSON object, such as \'{{"country": "DE"}}\', or a file of one.'
            ) from None
    return json_object(text, where)


def parts_of(
    user: Mapping[str, Any], ranker: Mapping[str, Any], retrieval: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What of a user's object goes to the ranker, and what to the retrieval model; some columns go to both.

    Args:
        user: {column: value}, with `history` and `exclude`.
        ranker, retrieval: the notes beside the models, of `serving_inputs.read_inputs`.

    Raises:
        InputError: a column that neither reads, or one of the items.
    """
    of_items = {column for column, about in ranker["inputs"].items() if about["side"] == "item"}
    of_ranker = {column for column in ranker["inputs"] if column not in of_items}
    of_retrieval = set(retrieval["inputs"])
    for column in user:
        if column in of_ranker | of_retrieval:
            continue
        if column in of_items:
            raise InputError(
                f"{WHERE}: the column {column!r} belongs to the items, and comes from the item table. Leave it out."
            )
        names = of_ranker | of_retrieval
        if column == retrieval["user"]["column"]:
            raise InputError(
                f"{WHERE}: {column!r} names the user, but no feature of the recipe reads it. Leave it out, and give what is "
                f"read: {', '.join(sorted(names))}."
            )
        raise InputError(f"{WHERE}: unknown column {column!r}; {known(column, names)}")
    return (
        {column: value for column, value in user.items() if column in of_ranker},
        {column: value for column, value in user.items() if column in of_retrieval},
    )
