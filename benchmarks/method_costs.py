"""Parameters, time and memory of a training step of every method, with default options: docs/method_costs.json.

python -m benchmarks.method_costs

One process builds all models and times them in turns, a step of each after the other, so that a slow moment of the machine
meets all. The time is CPU time. The memory is what XLA plans for the step: variables, batch and all temporary arrays. The balancers
are measured with 2, 4 and 8 tasks. `python -m pipeline.recipe_docs` then writes docs/methods.md.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from benchmarks.machine import machine

TASKS = ("click", "cart", "order", "order_value", "like", "share", "return", "review")
USUAL, COUNTS = 4, (2, 4, 8)
"""Number of tasks, and those with which the balancers are measured."""
FEATURES, ROWS, DIM = 20, 1000, 16
BASE = "shared_bottom"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Subject:
    """A model whose step is timed.

    Attributes:
        table: "architectures", "backbones", "balancers", "objectives" or "regularizers".
        name: row of the table.
        tasks: number of tasks.
        parameters: of backbone and architecture, without the embedding tables.
        memory: bytes of the step, by XLA's plan.
        step: makes one step.
    """

    table: str
    name: str
    tasks: int
    parameters: int
    memory: int
    step: Callable[[], Any]


def subjects(batch: int, dumps: Path) -> list[Subject]:
    """A compiled model for each architecture alone, and for each other method under `BASE`.

    Args:
        batch: examples of a step.
        dumps: folder into which XLA writes its plans.
    """
    from models.architectures import ARCHITECTURES
    from models.backbones import BACKBONES
    from models.balancing import BALANCERS
    from models.objectives import OBJECTIVES
    from models.regularizers import REGULARIZERS

    def subject(table: str, name: str, tasks: int = USUAL, objective: str | None = None, **methods: Any) -> Subject:
        return _subject(table, name, tasks, batch, dumps, objective, **methods)

    return [
        *(subject("architectures", name, architecture=name) for name in ARCHITECTURES),
        *(subject("backbones", name, backbone=name) for name in BACKBONES if name != "none"),
        *(subject("balancers", name, tasks, balancer=name) for tasks in COUNTS for name in BALANCERS),
        *(subject("objectives", name, objective=name) for name in OBJECTIVES),
        *(subject("regularizers", name, regularizers={name: {}}) for name in REGULARIZERS),
    ]


def _subject(
    table: str, name: str, tasks: int, batch: int, dumps: Path, objective: str | None, **methods: Any
) -> Subject:
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
    print(f"{table} {name}, {tasks} tasks: {parameters:,} parameters, {memory:,} bytes", flush=True)
    return Subject(
        table=table,
        name=name,
        tasks=tasks,
        parameters=parameters,
        memory=memory,
        step=lambda: step()["loss"].numpy(),
    )


def planned_bytes(dumps: Path) -> int:
    """Bytes of the largest function of which XLA has written the plan to a folder, which is emptied."""
    found = [0]
    for file in dumps.iterdir():
        if file.name.endswith("memory-usage-report.txt"):
            found += [int(total) for total in re.findall(r"^Total bytes used: (\d+)", file.read_text(), re.MULTILINE)]
        file.unlink()
    return max(found)


def costs(found: list[Subject], rounds: int) -> dict[str, dict[str, dict[str, Any]]]:
    """{table: {name: costs}}: `parameters`; `step`, the CPU time of a step, the median of the rounds; `memory`, its planned bytes.

    Both are divided by those of `BASE`, and of a balancer by those of the balancer `fixed` with as many tasks: {tasks: ratio}.
    """
    seconds: dict[tuple[str, str, int], list[float]] = {(one.table, one.name, one.tasks): [] for one in found}
    for _ in range(rounds):
        for one in found:
            begin = time.process_time()
            one.step()
            seconds[one.table, one.name, one.tasks].append(time.process_time() - begin)
    by_key = {(one.table, one.name, one.tasks): one for one in found}
    tables: dict[str, dict[str, dict[str, Any]]] = {}
    for key, one in by_key.items():
        of = ("balancers", "fixed", one.tasks) if one.table == "balancers" else ("architectures", BASE, USUAL)
        step = round(float(np.median(seconds[key]) / np.median(seconds[of])), 2)
        memory = round(one.memory / by_key[of].memory, 2)
        row = tables.setdefault(one.table, {}).setdefault(one.name, {"parameters": one.parameters})
        if one.table == "balancers":
            row.setdefault("step", {})[str(one.tasks)], row.setdefault("memory", {})[str(one.tasks)] = step, memory
        else:
            row |= {"step": step, "memory": memory}
    return tables


def main(
    rounds: Annotated[int, typer.Option(min=1, help="Timed steps of each model.")] = 21,
    batch: Annotated[int, typer.Option(min=1, help="Examples of a step.")] = 2048,
    out: Annotated[Path, typer.Option(metavar="FILE", help="JSON file to write.")] = Path("docs/method_costs.json"),
) -> None:
    """Measure parameters, step time and memory of every method."""
    with tempfile.TemporaryDirectory() as dumps:
        os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} --xla_dump_to={dumps} --xla_dump_hlo_as_text=true"
        tables = costs(subjects(batch, Path(dumps)), rounds)
    document = {
        **tables,
        "settings": {"tasks": USUAL, "width": FEATURES * DIM, "batch": batch, "rounds": rounds},
        "machine": {name: machine()[name] for name in ("cpu", "cores")},
    }
    out.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
