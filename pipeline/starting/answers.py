"""What the user has decided by options, and the questions on a terminal."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import NoReturn

from models.recipe.errors import InputError
from models.recipe.registry import known

Ask = Callable[[str, Sequence[str], str | None], str]
"""(question, answers, default) -> one of the answers."""

EVERY = ""
"""Name of the stream in an option that holds for every stream."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Answers:
    """The options of `gatewise init`.

    Attributes:
        time, unit, zone: stream -> column, unit of an epoch time, IANA zone. EVERY: every stream.
        key: stream -> columns.
        impressions, events, user, item: stream or column; None if not given.
        labels: columns with labels of labelled examples.
        ask: asks on a terminal; None if there is none, or with `--yes`.
    """

    time: Mapping[str, str] = dataclasses.field(default_factory=dict)
    unit: Mapping[str, str] = dataclasses.field(default_factory=dict)
    zone: Mapping[str, str] = dataclasses.field(default_factory=dict)
    key: Mapping[str, str] = dataclasses.field(default_factory=dict)
    impressions: str | None = None
    events: str | None = None
    user: str | None = None
    item: str | None = None
    labels: tuple[str, ...] = ()
    ask: Ask | None = None

    def check(self, names: Sequence[str]) -> None:
        """Checks that options name only streams and sources that exist.

        Raises:
            InputError: an option names another one.
        """
        for option in ("time", "unit", "zone", "key"):
            for stream, value in getattr(self, option).items():
                if stream not in (*names, EVERY):
                    raise InputError(
                        f"--{option} {stream}={value}: no stream or file has this name; {known(stream, {*names})}"
                    )

    def choose(self, question: str, answers: Sequence[str], default: str) -> str:
        """The answer to a question with a default: asked on a terminal, else the default."""
        return self.ask(question, answers, default) if self.ask and len(answers) > 1 else default

    def decide(self, where: str, problem: str, answers: Sequence[str], option: str) -> str:
        """The answer to a question without a default, because a guess would shift labels.

        Raises:
            InputError: there is no terminal. The message says which option decides.
        """
        if self.ask and answers:
            return self.ask(f"{where}: {problem}", answers, None)
        refuse(where, problem, answers, option)

    @staticmethod
    def of(given: Mapping[str, str], *names: str) -> str | None:
        """The option's value for the first of the names that it has: a stream, or the source that it comes from; else for every stream."""
        return next((given[name] for name in (*names, EVERY) if name in given), None)


def refuse(where: str, problem: str, answers: Sequence[str], option: str) -> NoReturn:
    """Raises the InputError of a question that only the user can answer."""
    choices = f" It may be {', '.join(answers)}." if answers else ""
    raise InputError(f"{where}: {problem}{choices} A guess could shift labels. Decide with {option}.")


def by_stream(option: str, values: Sequence[str]) -> dict[str, str]:
    """The values of a repeatable option STREAM=VALUE, or VALUE for every stream.

    Raises:
        InputError: a value is empty or a stream is named twice.
    """
    found: dict[str, str] = {}
    for value in values:
        stream, equals, text = value.rpartition("=")
        if not text or (equals and not stream) or stream in found:
            raise InputError(
                f"--{option} {value}: expected STREAM=VALUE once for each stream, or VALUE for every stream."
            )
        found[stream] = text
    return found
