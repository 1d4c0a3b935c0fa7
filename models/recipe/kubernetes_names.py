"""Valid Kubernetes names, and a validator of patterns with readable messages."""

from __future__ import annotations

import re
from typing import Annotated

import pydantic


def matches(pattern: str, expected: str) -> pydantic.BeforeValidator:
    """Validator of texts that match a pattern. `expected` describes the pattern in the message."""

    def check(value: object) -> str:
        if not isinstance(value, str) or re.fullmatch(pattern, value) is None:
            raise ValueError(f"expected {expected}; received {value!r}")
        return value

    return pydantic.BeforeValidator(check)


Object = Annotated[
    str,
    matches(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?", "the name of a Kubernetes object: lowercase letters, digits, -"),
]
