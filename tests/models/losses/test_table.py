"""What a recipe is told of the losses: their facts, without Keras."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from models.losses import LOSS, LOSSES
from models.recipe.errors import InputError
from models.recipe.registry import facts, load, signature
from models.recipe.tasks import DEFAULT_LOSSES


def test_facts_are_read_without_keras() -> None:
    code = (
        f"import sys; sys.path[:] = {sys.path!r}; from models.recipe.registry import facts; "
        "from models.losses import LOSS, LOSSES; "
        "[facts(path, LOSS)['kind'] for path in (*LOSSES.values(), 'outside_losses.BelowZero')]; "
        "assert not {'keras', 'tensorflow'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_kind_s_default_is_its_first_row() -> None:
    first: dict[str, str] = {}
    for name, path in LOSSES.items():
        first.setdefault(facts(path, LOSS)["kind"], name)
    assert first == DEFAULT_LOSSES


def test_a_subclass_has_the_facts_of_its_base_and_its_own() -> None:
    base, own = facts("outside_losses.GammaPlus", LOSS), facts("outside_losses.BelowZero", LOSS)
    assert base["negative"] is False
    assert own == {**base, "negative": True}
    assert (own["outputs"], own["above"], own["at_least"]) == (2, 0.0, None)


def test_what_is_no_literal_is_no_fact() -> None:
    assert "kind" not in facts("outside_losses.Unsaid", LOSS)


@pytest.mark.parametrize(
    "name", [name for name, path in LOSSES.items() if facts(path, LOSS)["log_odds_if"] is not None]
)
def test_a_logit_that_is_the_log_odds(name: str) -> None:
    """Thinned by r, the best constant moves by ln(1/r), and the prediction of the shifted logit is the rate before."""
    options = facts(LOSSES[name], LOSS)["log_odds_if"]
    assert options.keys() <= signature(LOSSES[name]).keys()
    loss = load(LOSSES[name])(**options)
    logits = [
        loss.start(np.repeat([1.0, 0.0], [10_000, negatives]), np.ones(10_000 + negatives)).offset[0]
        for negatives in (300_000, 30_000)
    ]
    assert logits[1] - logits[0] == pytest.approx(np.log(10), abs=1e-4)
    assert float(loss.prediction(np.float32(logits[1] + np.log(0.1)))) == pytest.approx(1 / 31, rel=1e-3)


@pytest.mark.parametrize("path", ["outside_losses.NoLoss", "models.balancing.fixed.Fixed", LOSS + "es"])
def test_what_is_no_loss_is_refused(path: str) -> None:
    with pytest.raises(InputError, match=rf"'{path}' is not a subclass of {LOSS}. Expected a class with it"):
        facts(path, LOSS)
