"""Names as Kubernetes allows them, and the check of a text against a pattern that says in words what was expected."""

from __future__ import annotations

import re
from typing import Annotated

import pydantic


def matches(pattern: str, expected: str) -> pydantic.BeforeValidator:
    """A text of that pattern; the message says what was expected in words."""

    def check(value: object) -> str:
        if not isinstance(value, str) or re.fullmatch(pattern, value) is None:
            raise ValueError(f"expected {expected}; received {value!r}")
        return value

    return pydantic.BeforeValidator(check)


Object = Annotated[
    str, matches(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?", "the name of a Kubernetes object: small letters, digits, -")
]
