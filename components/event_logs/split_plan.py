"""The split's part of the first stage's plan."""

from __future__ import annotations

from components.event_logs.moments import EPOCH, micros
from models.recipe.split import VALIDATE_FRACTION, Split
from models.recipe.stage_plan import StagePlan


class SplitPlan(StagePlan):
    """The split: one `eval` key is set, and at most one `validate` key. Durations are in microseconds, moments in microseconds
    since 1970 UTC.
    """

    eval_fraction: float | None = None
    eval_last: int | None = None
    eval_from: int | None = None
    validate_fraction: float | None = None
    validate_last: int | None = None
    validate_from: int | None = None
    gap: int = 0

    @property
    def names_validate(self) -> bool:
        """Whether the recipe sets a `validate` key."""
        return (self.validate_fraction, self.validate_last, self.validate_from) != (None, None, None)

    @property
    def validate_share(self) -> float | None:
        """Share of the validate split in the examples before the eval split; None if it is set by time."""
        return self.validate_fraction if self.names_validate else VALIDATE_FRACTION

    @classmethod
    def of(cls, split: Split) -> SplitPlan:
        """The plan of a recipe's `split`."""
        return cls(
            eval_fraction=split.eval_fraction,
            eval_last=micros(split.eval_last) if split.eval_last else None,
            eval_from=micros(split.eval_from - EPOCH) if split.eval_from else None,
            validate_fraction=split.validate_fraction,
            validate_last=micros(split.validate_last) if split.validate_last else None,
            validate_from=micros(split.validate_from - EPOCH) if split.validate_from else None,
            gap=micros(split.gap) if split.gap else 0,
        )
