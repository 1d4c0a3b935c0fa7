"""What a run reports while it goes on."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """The command line's console is one; tests and other runners may bring their own."""

    def started(self, stage: str) -> None:
        """A stage begins; whether it is cached is not known yet."""

    def finished(self, stage: str) -> None:
        """A stage is done."""

    def said(self, message: str) -> None:
        """A stage of ours has something for a person to read."""


class Silence:
    """Progress that nobody hears."""

    def started(self, stage: str) -> None:
        """Nothing."""

    def finished(self, stage: str) -> None:
        """Nothing."""

    def said(self, message: str) -> None:
        """Nothing."""
