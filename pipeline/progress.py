"""Progress reports of a run."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Receives the progress of a run. `RunConsole` implements it for the command line."""

    def started(self, stage: str) -> None:
        """A stage starts. It may still come from the cache."""

    def finished(self, stage: str) -> None:
        """A stage has finished."""

    def said(self, message: str) -> None:
        """A stage of gatewise logs a message."""


class Silence:
    """Ignores all progress."""

    def started(self, stage: str) -> None:
        """Nothing."""

    def finished(self, stage: str) -> None:
        """Nothing."""

    def said(self, message: str) -> None:
        """Nothing."""
