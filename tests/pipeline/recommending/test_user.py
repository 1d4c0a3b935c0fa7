"""The user's object, and who reads which of its columns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from models.recipe.errors import InputError
from pipeline.recommending.user import parts_of, read_user

RANKER = {"inputs": {name: {"side": side} for name, side in (("age", "user"), ("hour", "context"), ("price", "item"))}}
RETRIEVAL: dict[str, Any] = {
    "inputs": {name: {"side": "user"} for name in ("age", "country", "history", "exclude")},
    "user": {"column": "user_id"},
}


def test_inline_or_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "user.json"
    path.write_text('{"age": 3,\n "history": ["ü"]}', encoding="utf-8")
    for text in ('{"age": 3, "history": ["ü"]}', f"@{path}", str(path)):
        assert read_user(text) == {"age": 3, "history": ["ü"]}
    assert read_user(" {}") == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{'age': 3}", "--user: not valid JSON"),
        ("[1]", "--user: expected a JSON object column -> value, received list"),
        ("nowhere.json", "--user nowhere.json: cannot be read .*expected a JSON object, such as"),
        ("@", r"--user \.: cannot be read"),
        ("x" * 5000, "cannot be read"),
        ("\0", "cannot be read"),
        ('{"a": ' + "9" * 5000 + "}", "not valid JSON"),
    ],
)
def test_what_is_no_user(text: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        read_user(text)


def test_each_model_gets_what_it_reads() -> None:
    user = {"age": 3, "hour": 4, "country": "DE", "history": [1], "exclude": [2]}
    of_ranker, of_retrieval = parts_of(user, RANKER, RETRIEVAL)
    assert of_ranker == {"age": 3, "hour": 4}
    assert of_retrieval == {"age": 3, "country": "DE", "history": [1], "exclude": [2]}
    assert parts_of({}, RANKER, RETRIEVAL) == ({}, {})


@pytest.mark.parametrize(
    ("column", "words"),
    [
        (
            "contry",
            "--user: unknown column 'contry'; did you mean 'country'\\? Known: age, country, exclude, history, hour",
        ),
        ("price", "'price' belongs to the items"),
        ("user_id", "'user_id' is the user id, but no feature of the recipe reads it.*age, country"),
    ],
)
def test_a_column_that_nobody_reads(column: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        parts_of({column: 1}, RANKER, RETRIEVAL)
