"""The page of the methods."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from models.architectures import ARCHITECTURES
from models.backbones import BACKBONES
from models.balancing import BALANCERS
from models.objectives import OBJECTIVES
from models.regularizers import REGULARIZERS
from pipeline.method_docs import COSTS, methods_page, paper

MMOE = (
    "[Ma et al., Modeling Task Relationships in Multi-task Learning with Multi-gate Mixture-of-Experts, KDD 2018]"
    "(https://doi.org/10.1145/3219819.3220007)"
)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mmoe", MMOE),
        (
            "ple",
            "[Tang et al., Progressive Layered Extraction (PLE), RecSys 2020](https://doi.org/10.1145/3383313.3412236)",
        ),
        ("single_task", ""),
        (
            "clustered",  # behind another sentence; its title has a colon
            "[Jacob et al., Clustered multi-task learning: a convex formulation, NIPS 2008](https://arxiv.org/abs/0809.2085)",
        ),
        ("task_distance", "[Hocking et al., Clusterpath, ICML 2011](https://icml.cc/2011/papers/419_icmlpaper.pdf)"),
    ],
)
def test_the_paper_is_the_first_citation(name: str, expected: str) -> None:
    assert paper({**ARCHITECTURES, **REGULARIZERS}[name]) == expected


def test_a_method_has_its_measured_cost_or_a_dash(tmp_path: Path) -> None:
    costs = {
        "architectures": {"mmoe": {"parameters": 12345, "step": 2.1, "memory": 1.3}},
        "balancers": {"mgda": {"parameters": 1, "step": {"2": 1.5, "8": 3.1}, "memory": {"2": 1.1, "8": 1.2}}},
        "settings": {"tasks": 4, "width": 320, "batch": 2048},
        "machine": {"cores": 2},
    }
    (tmp_path / COSTS).write_text(json.dumps(costs))
    lines = methods_page(tmp_path).splitlines()
    (mmoe,) = (line for line in lines if line.startswith("| `mmoe` |"))
    assert mmoe.endswith(f"| 12,345 | 2.10 | 1.30 | {MMOE} |")
    (mgda,) = (line for line in lines if line.startswith("| `mgda` |"))
    assert "| 1.50, 3.10 | 1.10, 1.20 |" in mgda
    (ple,) = (line for line in lines if line.startswith("| `ple` |"))
    assert "| – | – | – |" in ple


def test_the_committed_costs_are_of_every_method() -> None:
    costs = json.loads((Path(__file__).parents[2] / "docs" / COSTS).read_text())
    assert set(costs["architectures"]) == set(ARCHITECTURES)
    assert set(costs["backbones"]) == set(BACKBONES) - {"none"}
    assert set(costs["balancers"]) == set(BALANCERS)
    assert all(set(cost["memory"]) == {"2", "4", "8"} for cost in costs["balancers"].values())
    assert set(costs["objectives"]) == set(OBJECTIVES)
    assert set(costs["regularizers"]) == set(REGULARIZERS)
