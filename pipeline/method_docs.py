"""docs/methods.md: what each method does, when to use it, what it costs, and its paper, from the docstrings."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.architectures import ARCHITECTURES
from models.backbones import BACKBONES
from models.balancing import BALANCERS
from models.objectives import OBJECTIVES
from models.recipe.registry import paragraphs, summary
from models.regularizers import REGULARIZERS

COSTS = "method_costs.json"
HEAD = """# Methods

What each method does, when to use it and where it is from. Every method is one line of a recipe, and its options are in
[recipe.md](recipe.md). The docstring of its class has the formula, the shapes and the deviations from the paper.

This page is generated from the docstrings. Parameters (without the embedding tables), step (CPU time of a training step) and memory (what XLA
plans for a step: variables, batch and all temporary arrays) are of the default options. Step and memory are divided by those of
`shared_bottom` alone, of a balancer by those of `fixed` with as many tasks. All are measured in one run of
`python -m benchmarks.method_costs`: {settings}.
"""
FIGURES = """
## Two tasks of falling correlation

![Test error of each architecture by the correlation of two tasks](task_correlation.svg)

The synthetic data of the MMoE paper: two regression tasks of the same 100 inputs, whose weights have the cosine on the x-axis. The y-axis is the
test RMSE divided by the deviation of the labels. All networks have about as many parameters, for which only the size of their layers was
changed; `pepnet`, `resflow` and `task_conditioned` are not made for so few. Grey is `shared_bottom`. Means of two seeds from
`python -m benchmarks.task_correlation --out docs/task_correlation.svg`.

The seeds, which are problems of their own, differ by 0.04 to 0.25, more than the correlations do: read the slopes, and no small differences of
height. From correlation 1 to 0, the error of `shared_bottom` rises by 0.010 and that of `mmoe` by 0.015: the paper's order of the two does not
show here. That of `ple` falls by 0.024. At 0, `ple`, `mtan` and `dbmtl` are the lowest.

What sharing wins and loses on the simulated shop: [training.md](training.md#what-sharing-wins-and-loses-per-task).
"""
TABLES: tuple[tuple[str, str, str, Mapping[str, str]], ...] = (
    ("Architectures", "architectures", "How the tasks share layers: `model.architecture`.", ARCHITECTURES),
    (
        "Backbones",
        "backbones",
        "What mixes the features before them: `model.backbone`, measured under `shared_bottom`, as the others below.",
        BACKBONES,
    ),
    ("Balancers", "balancers", "How the losses of the tasks are balanced: `model.balancer`.", BALANCERS),
    ("Objectives", "objectives", "What a task after a click is trained on: `tasks.NAME.objective`.", OBJECTIVES),
    ("Regularizers", "regularizers", "Terms of the loss: `model.regularizers`.", REGULARIZERS),
)


def methods_page(docs: Path) -> str:
    """The text of docs/methods.md.

    Args:
        docs: folder with the measured costs.
    """
    costs = json.loads((docs / COSTS).read_text(encoding="utf-8"))
    settings = costs["settings"]
    parts = [
        HEAD.format(
            settings=f"{settings['tasks']} tasks, {settings['width']} inputs, batches of {settings['batch']:,}, float32 with XLA, "
            f"{costs['machine']['cores']} cores"
        )
    ]
    for heading, key, text, table in TABLES:
        parts.append(f"\n## {heading}\n\n{text}\n\n{_table(table, costs.get(key, {}))}")
    return "".join([*parts, FIGURES])


def _table(table: Mapping[str, str], costs: Mapping[str, Mapping[str, Any]]) -> str:
    by_tasks = any(isinstance(cost["step"], Mapping) for cost in costs.values())
    columns: tuple[str, ...] = (
        ("step with 2, 4, 8 tasks", "memory with 2, 4, 8 tasks") if by_tasks else ("parameters", "step", "memory")
    )
    columns = columns if costs else ()
    rows = [["name", "what it does", *columns, "paper"], ["---", "---", *("---:" for _ in columns), "---"]]
    for name, path in table.items():
        cells = [_cell(costs.get(name, {}), column) for column in columns]
        rows.append([f"`{name}`", summary(path), *cells, paper(path)])
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _cell(cost: Mapping[str, Any], column: str) -> str:
    value = cost.get(column.split()[0])
    if value is None:
        return "–"
    ratios = value.values() if isinstance(value, Mapping) else [value]
    return f"{value:,}" if column == "parameters" else ", ".join(f"{ratio:.2f}" for ratio in ratios)


def paper(path: str) -> str:
    """The first citation of a docstring as a Markdown link; "" without one.

    A citation is a sentence that ends in a link: "Ma et al., Title, KDD 2018 (https://doi.org/...)".
    """
    for text in paragraphs(path)[1:]:
        if found := re.search(r"^(.*?) \((https://[^)\s,]+)", text):
            sentence = re.split(r"(?<!et al)\. ", found[1])[-1]
            first, of, title = sentence.partition(" et al.")
            return f"[{first.rpartition(': ')[2] if of else first}{of}{title}]({found[2]})"
    return ""
