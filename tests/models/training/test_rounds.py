"""Rounds: batches, passes and evaluations of a training."""

from __future__ import annotations

import pytest

from models.recipe.model import Training
from models.training.rounds import default_batch_size, rounds_of


@pytest.mark.parametrize(
    ("examples", "size"), [(10, 64), (3_000, 128), (50_000, 512), (200_000, 1024), (1_000_000, 2048), (10**9, 8192)]
)
def test_the_batch_grows_with_the_root_of_the_examples(examples: int, size: int) -> None:
    assert default_batch_size(examples) == size


def of(examples: int, batch_size: int, **training: int) -> tuple[list[int], list[float]]:
    rounds = rounds_of(Training.model_validate(training), batch_size, examples)
    return [rounds.steps_of(i) for i in range(rounds.count)], [rounds.passes(i) for i in range(rounds.count)]


def test_a_round_is_half_a_pass() -> None:
    assert of(6_400, 64, epochs=2) == ([50] * 4, [0.5, 1, 1.5, 2])
    assert of(6_336, 64, epochs=2) == ([99, 99], [1, 2]), "half of 99 steps is less than 50"


def test_a_round_of_a_small_log_is_several_passes() -> None:
    """20 steps a pass: three passes are the first with 50 steps. The last round is what is left of 8 passes."""
    assert of(1_280, 64, epochs=8) == ([60, 60, 40], [3, 6, 8])


def test_a_round_of_a_large_log_is_a_part_of_a_pass() -> None:
    """12 million examples in parts of at most 5 million: 3 parts of 12,000 steps."""
    steps, passes = of(12_000_000, 1_000, epochs=1)
    assert steps == [4000, 4000, 4000] and passes == [0.333, 0.667, 1]


def test_as_often_as_asked() -> None:
    assert of(1_000, 100, epochs=1, evaluate_every=350) == ([4, 4, 2], [0.4, 0.8, 1])


def test_a_small_log_has_steps_enough_without_epochs() -> None:
    assert sum(of(1_000, 100)[0]) == 2_000
    assert sum(of(10_000_000, 10_000)[0]) == 5_000, "five passes"
