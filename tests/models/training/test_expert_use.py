"""What the gates do: means and entropies by hand, and which expert is dead."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
from tasks import binary

from models.architectures.adatt import AdaTT
from models.architectures.home import HoME
from models.architectures.mmoe import MMoE
from models.architectures.ple import PLE
from models.architectures.stem import STEM
from models.features.input_pipeline import Columns
from models.training.expert_use import dead_experts, entropy, expert_use, mean_gates

LN2 = math.log(2)


class Given(MMoE):
    """Gate weights that are among the features."""

    def gates(self, inputs):
        return {"click": inputs[:, :2], "order": inputs[:, -2:]}


def use_of(weights, batch_size):
    rows = np.array(weights, np.float32)
    model = SimpleNamespace(
        architecture=Given(binary("click", "order"), experts=2), encode=lambda features: features["numeric"]
    )
    nothing = np.zeros((len(rows), 2), np.float32)
    columns = Columns({"numeric": rows}, nothing, nothing, np.arange(len(rows)), ("click", "order"))
    return expert_use(model, columns, batch_size)


@pytest.mark.parametrize("batch_size", [1, 2, 100])
def test_means_and_entropies_by_hand(batch_size):
    # click: each example has one expert, and both experts have half of the examples. order: every example has both alike.
    use = use_of([[1, 0, 0.5, 0.5], [0, 1, 0.5, 0.5], [1, 0, 0.5, 0.5], [0, 1, 0.5, 0.5]], batch_size)
    click, order = use["tasks"]["click"], use["tasks"]["order"]
    assert mean_gates(use) == {"click": [0.5, 0.5], "order": [0.5, 0.5]}
    assert click["entropy"] == pytest.approx(LN2) and click["relative_entropy"] == pytest.approx(1)
    assert click["example_entropy"] == 0
    assert order["example_entropy"] == pytest.approx(order["entropy"]) == pytest.approx(LN2)
    assert click["experts"] == ["1", "2"] and use["dead"] == []


def test_unequal_means():
    use = use_of([[0.25, 0.75, 1, 0]] * 3, 2)
    expected = 0.25 * math.log(4) + 0.75 * math.log(4 / 3)
    assert use["tasks"]["click"]["entropy"] == pytest.approx(expected)
    assert use["tasks"]["click"]["relative_entropy"] == pytest.approx(expected / LN2)
    assert use["tasks"]["order"]["entropy"] == use["tasks"]["order"]["example_entropy"] == 0


def test_the_entropy_of_the_mean_is_never_below_that_of_the_examples():
    weights = np.random.default_rng(0).dirichlet([0.3] * 5, size=200)
    assert entropy(weights.mean(axis=0)) > entropy(weights).mean()
    assert entropy(weights)[0] == pytest.approx(-sum(w * math.log(w) for w in weights[0]))


def test_an_expert_is_dead_if_no_task_that_has_it_uses_it():
    # A tenth of an equal share is 0.05 for two experts: not below it is alive.
    assert dead_experts({"a": {"experts": ["1", "2"], "mean": [0.951, 0.049]}}) == ["2"]
    assert dead_experts({"a": {"experts": ["1", "2"], "mean": [0.95, 0.05]}}) == []
    shared = {"a": {"experts": ["1", "2"], "mean": [1.0, 0.0]}, "b": {"experts": ["1", "2"], "mean": [0.0, 1.0]}}
    assert dead_experts(shared) == []
    own = {"a": {"experts": ["a 1", "all"], "mean": [0.0, 1.0]}, "b": {"experts": ["b 1", "all"], "mean": [0.0, 1.0]}}
    assert dead_experts(own) == ["a 1", "b 1"]


def test_one_expert_has_no_relative_entropy():
    about = use_of([[1.0]] * 3, 2)["tasks"]["click"]
    assert about["mean"] == [1.0] and about["relative_entropy"] is None and about["entropy"] == 0


def test_names_tell_whose_an_expert_is():
    tasks = binary("a", "b")
    assert PLE(tasks, task_experts=2, shared_experts=1).expert_names("b", 3) == ("b 1", "b 2", "all tasks 1")
    both = ("a 1", "b 1")
    assert STEM(tasks).expert_names("a", 3) == STEM(tasks).expert_names("b", 3) == (*both, "all tasks 1")
    assert AdaTT(tasks, task_experts=1).expert_names("a", 2) == both
    home = HoME(tasks, groups=(("b",), ("a",)), experts=1)
    assert home.expert_names("a", 3) == ("a 1", "group 2 1", "all tasks 1")
