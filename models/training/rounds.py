"""Rounds: how a training is divided into batches, passes and evaluations."""

from __future__ import annotations

import dataclasses
import math

from models.recipe.model import Training

SMALLEST_BATCH, LARGEST_BATCH = 64, 8192


@dataclasses.dataclass(frozen=True, kw_only=True)
class Rounds:
    """A round is the steps between two evaluations of the validate split. The last round may be shorter.

    Attributes:
        batch_size: examples of a step.
        pass_steps: steps of one pass over the train split.
        round_steps: steps of a round.
        steps: steps of the whole training, if nothing stops it.
    """

    batch_size: int
    pass_steps: int
    round_steps: int
    steps: int

    @property
    def count(self) -> int:
        """Number of rounds."""
        return -(-self.steps // self.round_steps)

    def steps_of(self, index: int) -> int:
        """Steps of a round, from 0."""
        return min(self.round_steps, self.steps - index * self.round_steps)

    def passes(self, index: int) -> float:
        """Passes over the train split up to the end of a round, from 0."""
        done = index * self.round_steps + self.steps_of(index)
        return done // self.pass_steps if done % self.pass_steps == 0 else round(done / self.pass_steps, 3)


def default_batch_size(examples: int) -> int:
    """The power of two nearest to 2 sqrt(examples), between 64 and 8192.

    3,000 examples have batches of 128, 200,000 have 1024, a million has 2048. A batch that holds a small log whole takes
    one step a pass; a small batch on a large log takes steps that cost more than they move.
    """
    nearest = 2 ** round(math.log2(2.0 * math.sqrt(examples)))
    return min(max(nearest, SMALLEST_BATCH), LARGEST_BATCH)


def rounds_of(options: Training, batch_size: int, examples: int) -> Rounds:
    """The rounds of a training.

    Args:
        options: options of the recipe.
        batch_size: examples of a step.
        examples: number of train examples.
    """
    pass_steps = -(-examples // batch_size)
    steps = (options.epochs or max(DEFAULT_PASSES, -(-DEFAULT_STEPS // pass_steps))) * pass_steps
    if options.evaluate_every is not None:
        round_steps = -(-options.evaluate_every // batch_size)
    elif pass_steps < 2 * FEWEST_STEPS:
        # Whole passes, so that a round of a small log ends with a pass.
        round_steps = pass_steps * -(-FEWEST_STEPS // pass_steps)
    else:
        parts = max(2, -(-examples // MOST_EXAMPLES))
        round_steps = -(-pass_steps // parts)
    return Rounds(
        batch_size=batch_size, pass_steps=pass_steps, round_steps=min(max(round_steps, 1), steps), steps=steps
    )


DEFAULT_PASSES, DEFAULT_STEPS = 5, 2000
"""Passes over the train split at most, or as many as give this number of steps, if the recipe says nothing."""
FEWEST_STEPS = 50
"""Steps between two evaluations at least."""
MOST_EXAMPLES = 5_000_000
"""Examples between two evaluations at most."""
