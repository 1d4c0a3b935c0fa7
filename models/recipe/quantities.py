"""Parses Kubernetes quantities: CPUs ("500m", 4), memory ("4Gi")."""

from __future__ import annotations

import re
from typing import Annotated

import pydantic

_CPU = re.compile(r"(\d+m|\d+(\.\d{1,3})?)")
_MEMORY = re.compile(r"\d+(\.\d+)?(Ki|Mi|Gi|Ti|k|M|G|T)")


def parse_cpu(value: object) -> str:
    """Parses CPUs, as a number or in thousandths: 4, 0.5, "500m".

    Raises:
        ValueError: the value is not a number of CPUs, or is 0.
    """
    text = str(value).strip()
    if isinstance(value, bool) or _CPU.fullmatch(text) is None or float(text.rstrip("m")) == 0:
        raise ValueError(f"expected a number of processors, such as 4, 0.5 or 500m; received {value!r}")
    return text


def parse_memory(value: object) -> str:
    """Parses memory with a unit: Ki, Mi, Gi, Ti (powers of 1024) or k, M, G, T (powers of 1000).

    Raises:
        ValueError: the value is not an amount of memory, is 0, or has no unit.
    """
    text = str(value).strip()
    if _MEMORY.fullmatch(text) is None or float(text.rstrip("KMGTki")) == 0:
        raise ValueError(f"expected an amount of memory with its unit, such as 512Mi or 16Gi; received {value!r}")
    return text


Cpu = Annotated[
    str,
    pydantic.BeforeValidator(parse_cpu),
    pydantic.WithJsonSchema({"type": ["string", "number"], "examples": ["500m", 4]}),
]

Memory = Annotated[
    str, pydantic.BeforeValidator(parse_memory), pydantic.WithJsonSchema({"type": "string", "examples": ["16Gi"]})
]
