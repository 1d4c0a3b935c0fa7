"""The night: what a run with `logs.span` and `training.start: warm` goes on from.

             |-- learned by the ancestor --|--- new ---|- validate -|-- eval --|
                                  cursor.until                        day ------'

A label is learned once: in the first night in which its impression is before the validate split and its attribution window has closed.
"""

from __future__ import annotations

from typing import Literal

from models.recipe.stage_plan import StagePlan


class Cursor(StagePlan):
    """What a model has learned from: the labels that were closed at `as_of`, of the impressions before `until`.

    Both are microseconds since 1970 UTC. `until` is the start of the validate split of its run.
    """

    until: int
    as_of: int

    def learned(self, impression: int, window: int) -> bool:
        """Whether the label of an impression is among them. Time and attribution window in microseconds."""
        return impression < self.until and impression + window <= self.as_of


class Night(StagePlan):
    """What a run goes on from.

    Attributes:
        day: the day of the run, as in `logs.day`.
        start: "warm" if there is an ancestor to go on from, and no cold start is due.
        ancestor: version of the ancestor, the newest pushed model of an earlier day; None at a cold start.
        state: folder of the ancestor's state (`models.training.state`); "" at a cold start.
        cursor: what the ancestor has learned from; None at a cold start.
        cold_day: the day of the last cold start; `day` itself at a cold start.
        learned_until: impressions before this moment were learned by a pushed model, microseconds; also at a cold start. None if there is none.
        left_out: days or hours whose impressions no training reads, because a run that learned from them was refused.
    """

    day: str
    start: Literal["cold", "warm"] = "cold"
    ancestor: int | None = None
    state: str = ""
    cursor: Cursor | None = None
    cold_day: str = ""
    learned_until: int | None = None
    left_out: tuple[str, ...] = ()
