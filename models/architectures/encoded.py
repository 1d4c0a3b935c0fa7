"""Encoded: what an architecture gets of an example. Wants: what it asks for beyond the encoded features."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple


class Encoded(NamedTuple):
    """The encoded features of a batch.

    Attributes:
        x: (batch, dim), all features, behind the backbone.
        parts: {feature: (batch, width)}, in front of the backbone, of the features that `Wants.parts` names.
        rows: {feature: ((batch, length, width), (batch, length) bool)}, the embeddings of a list before they are pooled
            and where the list has a value, of the features that `Wants.rows` names.
    """

    x: Any
    parts: Mapping[str, Any] = {}
    rows: Mapping[str, tuple[Any, Any]] = {}


@dataclass(frozen=True, kw_only=True)
class Wants:
    """What an architecture reads beside x: names of features.

    Attributes:
        parts: features that it reads apart from the others, such as those that feed a gate.
        rows: multi-valued features whose values it reads one by one, such as a history that it attends to.
    """

    parts: tuple[str, ...] = ()
    rows: tuple[str, ...] = ()
