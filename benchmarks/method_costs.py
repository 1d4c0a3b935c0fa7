"""Parameters and time of a training step of every method, with default options: docs/method_costs.json.

python -m benchmarks.method_costs

One process builds all models and times them in turns, a step of each after the other, so that a slow moment of the machine
meets all. The time is CPU time. `python -m pipeline.recipe_docs` then writes docs/methods.md.
"""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from benchmarks.machine import machine

TASKS = ("click", "cart", "order", "order_value")
FEATURES, ROWS, DIM = 20, 1000, 16
BASE = "shared_bottom"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Subject:
    """A model whose step is timed.

    Attributes:
        table: "architectures", "backbones", "balancers" or "regularizers".
        name: row of the table.
        parameters: of backbone and architecture, without the embedding tables.
        step: makes one step.
    """

    table: str
    name: str
    parameters: int
    step: Callable[[], Any]


def subjects(batch: int) -> list[Subject]:
    """A compiled model for each architecture alone, and for each other method under `BASE`."""
    from models.architectures import ARCHITECTURES
    from models.backbones import BACKBONES
    from models.balancing import BALANCERS
    from models.regularizers import REGULARIZERS

    return [
        *(_subject("architectures", name, batch, architecture=name) for name in ARCHITECTURES),
        *(_subject("backbones", name, batch, backbone=name) for name in BACKBONES if name != "none"),
        *(_subject("balancers", name, batch, balancer=name) for name in BALANCERS),
        *(_subject("regularizers", name, batch, regularizers={name: {}}) for name in REGULARIZERS),
    ]


def _subject(table: str, name: str, batch: int, **methods: Any) -> Subject:
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
                kind="binary", loss="binary_crossentropy", weight=1.0, after=TASKS[place - 1] if place else None
            )
            for place, task in enumerate(TASKS)
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
    labels = tf.constant(random.integers(0, 2, (batch, len(TASKS))).astype("float32"))
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
    print(f"{table} {name}: {parameters:,} parameters", flush=True)
    return Subject(table=table, name=name, parameters=parameters, step=lambda: step()["loss"].numpy())


def costs(found: list[Subject], rounds: int) -> dict[str, dict[str, dict[str, float]]]:
    """{table: {name: {"parameters", "step": CPU time of a step divided by that of `BASE`, the median of the rounds}}}."""
    seconds: dict[tuple[str, str], list[float]] = {(one.table, one.name): [] for one in found}
    for _ in range(rounds):
        for one in found:
            begin = time.process_time()
            one.step()
            seconds[one.table, one.name].append(time.process_time() - begin)
    base = np.median(seconds["architectures", BASE])
    tables: dict[str, dict[str, dict[str, float]]] = {}
    for one in found:
        ratio = round(float(np.median(seconds[one.table, one.name]) / base), 2)
        tables.setdefault(one.table, {})[one.name] = {"parameters": one.parameters, "step": ratio}
    return tables


def main(
    rounds: Annotated[int, typer.Option(min=1, help="Timed steps of each model.")] = 21,
    batch: Annotated[int, typer.Option(min=1, help="Examples of a step.")] = 2048,
    out: Annotated[Path, typer.Option(metavar="FILE", help="JSON file to write.")] = Path("docs/method_costs.json"),
) -> None:
    """Measure parameters and step time of every method."""
    document = {
        **costs(subjects(batch), rounds),
        "settings": {"tasks": len(TASKS), "width": FEATURES * DIM, "batch": batch, "rounds": rounds},
        "machine": {name: machine()[name] for name in ("cpu", "cores")},
    }
    out.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
