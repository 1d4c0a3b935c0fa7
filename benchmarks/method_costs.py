"""Parameters, time and memory of a training step of every method, with default options: docs/method_costs.json.

python -m benchmarks.method_costs

One process for each table builds all its models and times them in turns, a step of each after the other, so that a slow moment of
the machine meets all. The time is CPU time. The memory is what XLA plans for the step: variables, batch and all temporary arrays. The balancers
are measured with 2, 4 and 8 tasks. `python -m pipeline.recipe_docs` then writes docs/methods.md.
"""

from __future__ import annotations

import dataclasses
import json
import multiprocessing
import os
import re
import tempfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from benchmarks.machine import machine

TASKS = ("click", "cart", "order", "order_value", "like", "share", "return", "review")
NONE = "none"
USUAL, COUNTS = 4, (2, 4, 8)
"""Number of tasks, and those with which the balancers are measured."""
FEATURES, ROWS, DIM = 20, 1000, 16
BASE = "shared_bottom"
UNIT = {"architectures": BASE, "balancers": "fixed"}
"""{table: row by whose costs those of the others are divided}. By default `NONE`: `BASE` alone."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Subject:
    """A model whose step is timed.

    Attributes:
        name: row of the table.
        parameters: of backbone and architecture, without the embedding tables.
        memory: bytes of the step, by XLA's plan.
        step: makes one step.
    """

    name: str
    parameters: int
    memory: int
    step: Callable[[], Any]


PARTS: tuple[tuple[str, int], ...] = (
    ("architectures", USUAL),
    ("backbones", USUAL),
    ("objectives", USUAL),
    ("regularizers", USUAL),
    *(("balancers", tasks) for tasks in COUNTS),
)
"""What one process measures: a table, with a number of tasks. All at once would be more compiled code than a process may have."""


def subjects(table: str, tasks: int, batch: int, dumps: Path) -> list[Subject]:
    """A compiled model for each architecture alone, or for each method of another table under `BASE`, and one without a method of it.

    Args:
        table: "architectures", "backbones", "balancers", "objectives" or "regularizers".
        tasks: number of tasks.
        batch: examples of a step.
        dumps: folder into which XLA writes its plans.
    """
    from models.architectures import ARCHITECTURES
    from models.backbones import BACKBONES
    from models.balancing import BALANCERS
    from models.objectives import OBJECTIVES
    from models.regularizers import REGULARIZERS

    rows: dict[str, dict[str, dict[str, Any]]] = {
        "architectures": {name: {"architecture": name} for name in ARCHITECTURES},
        "backbones": {name: {"backbone": name} for name in BACKBONES},
        "balancers": {name: {"balancer": name} for name in BALANCERS},
        "objectives": {NONE: {}, **{name: {"objective": name} for name in OBJECTIVES}},
        "regularizers": {NONE: {}, **{name: {"regularizers": {name: {}}} for name in REGULARIZERS}},
    }
    return [_subject(name, tasks, batch, dumps, **methods) for name, methods in rows[table].items()]


def _subject(name: str, tasks: int, batch: int, dumps: Path, objective: str | None = None, **methods: Any) -> Subject:
    import keras
    import tensorflow as tf

    from models.features.layout import FeatureLayout
    from models.recipe.model import Training
    from models.training.build import build_model
    from models.training.plan import TaskPlan, TrainerPlan

    keras.utils.set_random_seed(1)
    plan = TrainerPlan(
        tasks={
            task: TaskPlan(
                kind="binary",
                loss="binary_crossentropy",
                weight=1.0,
                after=TASKS[place - 1] if place else None,
                objective=objective if place == 1 else None,
                funnel=TASKS[:1] if objective and place == 1 else (),
            )
            for place, task in enumerate(TASKS[:tasks])
        },
        options={},
        balancer_options={},
        training=Training(batch_size=batch),
        probe_requests=1,
        inputs={},
        **{"architecture": BASE, "backbone": "none", "balancer": "fixed", "regularizers": {}, **methods},
    )
    layout = FeatureLayout(
        tables={f"t{place}": (ROWS, DIM) for place in range(FEATURES)},
        categorical=tuple((f"f{place}", f"t{place}") for place in range(FEATURES)),
        multivalued={},
        numeric=(),
    )
    built = build_model(plan, layout)
    built.compile(optimizer=keras.optimizers.Adam(0.001), jit_compile=True)
    random = np.random.default_rng(1)
    features = {"categorical": tf.constant(random.integers(0, ROWS, (batch, FEATURES)).astype("int32"))}
    labels = tf.constant(random.integers(0, 2, (batch, tasks)).astype("float32"))
    data = features, labels, tf.ones_like(labels)
    built(features)
    built.optimizer.build(built.trainable_variables)
    step = tf.function(lambda: built.train_step(data), autograph=False, jit_compile=True)
    step()
    parameters = sum(
        int(np.prod(variable.shape))
        for part in (built.backbone, built.architecture)
        for variable in part.trainable_variables
    )
    memory = planned_bytes(dumps)
    print(f"{name}, {tasks} tasks: {parameters:,} parameters, {memory:,} bytes", flush=True)
    return Subject(name=name, parameters=parameters, memory=memory, step=lambda: step()["loss"].numpy())


def planned_bytes(dumps: Path) -> int:
    """Bytes of the largest function of which XLA has written the plan to a folder, which is emptied."""
    found = [0]
    for file in dumps.iterdir():
        if file.name.endswith("memory-usage-report.txt"):
            found += [int(total) for total in re.findall(r"^Total bytes used: (\d+)", file.read_text(), re.MULTILINE)]
        file.unlink()
    return max(found)


def costs(found: list[Subject], rounds: int, unit: str) -> dict[str, dict[str, float]]:
    """{name: costs}: `parameters`; `step`, the CPU time of a step, the median of the rounds; `memory`, its planned bytes.

    Both are divided by those of the subject `unit`.
    """
    seconds: dict[str, list[float]] = {one.name: [] for one in found}
    for _ in range(rounds):
        for one in found:
            begin = time.process_time()
            one.step()
            seconds[one.name].append(time.process_time() - begin)
    (by,) = (one for one in found if one.name == unit)
    step = np.median(seconds[unit])
    return {
        one.name: {
            "parameters": one.parameters,
            "step": round(float(np.median(seconds[one.name]) / step), 2),
            "memory": round(one.memory / by.memory, 2),
        }
        for one in found
    }


def measured(table: str, tasks: int, batch: int, rounds: int) -> dict[str, dict[str, float]]:
    """The costs of a part, in a process that has not imported TensorFlow."""
    with tempfile.TemporaryDirectory() as dumps:
        os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} --xla_dump_to={dumps} --xla_dump_hlo_as_text=true"
        found = costs(subjects(table, tasks, batch, Path(dumps)), rounds, UNIT.get(table, NONE))
    return {name: cost for name, cost in found.items() if name != NONE}


def together(
    parts: Mapping[tuple[str, int], Mapping[str, Mapping[str, float]]],
) -> dict[str, dict[str, dict[str, Any]]]:
    """{table: {name: costs}} of {(table, tasks): {name: costs}}. `step` and `memory` of balancers are {tasks: ratio}."""
    tables: dict[str, dict[str, dict[str, Any]]] = {}
    for (table, tasks), found in parts.items():
        rows = tables.setdefault(table, {})
        for name, cost in found.items():
            if table != "balancers":
                rows[name] = dict(cost)
                continue
            row = rows.setdefault(name, {"step": {}, "memory": {}})
            for key in row:
                row[key][str(tasks)] = cost[key]
    return tables


def main(
    rounds: Annotated[int, typer.Option(min=1, help="Timed steps of each model.")] = 21,
    batch: Annotated[int, typer.Option(min=1, help="Examples of a step.")] = 2048,
    out: Annotated[Path, typer.Option(metavar="FILE", help="JSON file to write.")] = Path("docs/method_costs.json"),
) -> None:
    """Measure parameters, step time and memory of every method."""
    parts = {}
    for table, tasks in PARTS:
        print(f"{table}, {tasks} tasks:", flush=True)
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
            parts[table, tasks] = process.submit(measured, table, tasks, batch, rounds).result()
    document = {
        **together(parts),
        "settings": {"tasks": USUAL, "width": FEATURES * DIM, "batch": batch, "rounds": rounds},
        "machine": {name: machine()[name] for name in ("cpu", "cores")},
    }
    out.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
