"""What the commands print beside their result: the options `--quiet`, `--verbose` and `--log-format` of `gatewise`."""

from __future__ import annotations

import contextvars
import dataclasses
from typing import Literal


@dataclasses.dataclass(frozen=True, kw_only=True)
class Screen:
    """The chosen output.

    Attributes:
        amount: quiet: warnings and the outcome; normal: also the stages and their messages; verbose: also what libraries write.
        format: text, or json: one object per line.
    """

    amount: Literal["quiet", "normal", "verbose"] = "normal"
    format: Literal["text", "json"] = "text"


_CHOSEN: contextvars.ContextVar[Screen] = contextvars.ContextVar("screen")


def choose(screen: Screen) -> None:
    """Sets the output of this process."""
    _CHOSEN.set(screen)


def chosen() -> Screen:
    """The output of this process."""
    return _CHOSEN.get(Screen())
