from __future__ import annotations

import pytest

from components.references.budget import TOLERANCE, matched_units, network_parameters


def test_parameters_by_hand():
    """10 -> 4 -> 2: 11 * 4 + 5 * 2 = 54 of the hidden layers; the logits 3 * 1 and 3 * 2: 57 + 60."""
    assert network_parameters(10, (4, 2), (1, 2)) == 117
    assert network_parameters(10, (), (1, 1)) == 22


def test_one_layer_by_hand():
    """Each unit costs 10 + 1 + 1 = 12, and the logit's bias 1: 50 units have 601 parameters, 100 units have 1201."""
    assert matched_units(601, 10, (8,), (1,)) == (50,)
    assert matched_units(606, 10, (8,), (1,)) == (50,)
    assert matched_units(608, 10, (8,), (1,)) == (51,)
    assert matched_units(2402, 10, (8,), (1, 1)) == (100,), "half of the budget for each of two tasks"


def test_two_layers_keep_their_ratio():
    """100 -> 20 -> 10 -> 1 has 101 * 20 + 21 * 10 + 11 = 2241 parameters."""
    assert matched_units(2241, 100, (2, 1), (1,)) == (20, 10)


@pytest.mark.parametrize("budget", [3_000, 7_000, 27_092, 250_000])
@pytest.mark.parametrize("units", [(64, 32, 16), (128, 16), (8, 4), (256, 128, 64, 32, 16)])
@pytest.mark.parametrize("outputs", [(1,), (1, 1, 2), (1,) * 4])
def test_within_the_tolerance(budget, units, outputs):
    sizes = matched_units(budget, 60, units, outputs)
    assert len(sizes) == len(units)
    assert network_parameters(60, sizes, outputs) == pytest.approx(budget, rel=TOLERANCE)


def test_a_layer_has_a_unit_and_no_layer_stays_none():
    assert matched_units(1, 100, (64, 32), (1,)) == (1, 1)
    assert matched_units(5_000, 100, (), (1,)) == ()
