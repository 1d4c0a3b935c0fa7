"""Names of the variables of a model by their place in it: `architecture:MMoE/towers/task:click/logit/kernel`. The same in every process.

Keras' own paths count the layers of a process (`dense_12`), so two trainings of one recipe may have different ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import keras

from models.training.carried import TASK

if TYPE_CHECKING:
    from models.training.multi_task_model import MultiTaskModel

_PARTS = ("backbone", "architecture", "adversaries", "objectives", "balancer", "regularizers", "masks", "row_counts")
"""Parts of a model whose variables go on. Not among them: the tables with their optimizer state and averages, which go on by id, the scales,
which go on by task, and what counts one training alone: metrics, bad steps, the reduction of the rate."""
_BY_TASK = ("towers", "networks", "task_gates", "self_gates", "of_tasks", "to_tasks")
"""Lists of an architecture with one item for each task, if they have as many items. Other lists may be of layers or of experts."""
_BOOKKEEPING = (
    "tracker",
    "trainable_variables",
    "non_trainable_variables",
    "variables",
    "layers",
    "metrics",
    "seed_generators",
    "losses",
    "tracked",
    "inbound_nodes",
    "outbound_nodes",
)


def named_variables(model: MultiTaskModel) -> dict[str, keras.Variable]:
    """{name: variable} of a built model and its optimizer, in a fixed order.

    The items of a list with one for each task are named by task: they are those of the same tasks in another recipe.
    """
    names: dict[int, str] = {}
    found: dict[str, keras.Variable] = {}
    for part in _PARTS:
        value = getattr(model, part, None)
        if value is None:
            continue
        kind = f":{type(value).__name__}" if isinstance(value, keras.layers.Layer) else ""
        tasks = value.names if part == "adversaries" else model.architecture.names
        if part == "regularizers":
            value = {type(one).__name__: one for one in value}
        for name, variable in _walk(value, f"{part}{kind}", tasks, set()):
            if id(variable) not in names:
                names[id(variable)] = name
                found[name] = variable
        wanted = value.variables if isinstance(value, keras.layers.Layer) else []
        for number, variable in enumerate(wanted):
            if id(variable) not in names:
                name = f"{part}{kind}/{number}/{variable.name}"
                names[id(variable)] = name
                found[name] = variable
    return found | _of_average(model, names) | _of_optimizer(model, names)


def _of_average(model: MultiTaskModel, names: Mapping[int, str]) -> dict[str, keras.Variable]:
    """The running averages by the variable that they belong to, without those of the tables, and the number of their updates."""
    if model.average is None:
        return {}
    tables = len(model.encoder.embeddings)
    dense = zip(model.averaged[tables:], model.average.averages[tables:], strict=True)
    return {
        "average/updates": model.average.updates,
        **{f"average/{names[id(variable)]}": average for variable, average in dense},
    }


def _of_optimizer(model: MultiTaskModel, names: Mapping[int, str]) -> dict[str, keras.Variable]:
    """The variables of Keras' optimizer: its counter, and its moments by the variable that they belong to."""
    optimizer = model.optimizer
    kind = type(optimizer).__name__
    found = {f"optimizer:{kind}/iterations": optimizer.iterations}
    trained = [
        names.get(id(variable), f"{number}/{variable.name}")
        for number, variable in enumerate(model.trainable_variables)
    ]
    for attribute, value in sorted(vars(optimizer).items()):
        slots = list(value) if isinstance(value, list | tuple) else []
        if len(slots) == len(trained) and slots and all(isinstance(slot, keras.Variable) for slot in slots):
            if attribute.lstrip("_") in _BOOKKEEPING:
                continue
            for name, slot in zip(trained, slots, strict=True):
                found[f"optimizer:{kind}/{attribute.lstrip('_')}/{name}"] = slot
    return found


def _walk(value: Any, path: str, tasks: Sequence[str], seen: set[int]) -> Iterator[tuple[str, keras.Variable]]:
    if isinstance(value, keras.Variable):
        yield path, value
        return
    inner: list[tuple[str, Any]]
    if isinstance(value, Mapping):
        inner = [(str(key), item) for key, item in value.items()]
    elif isinstance(value, list | tuple):
        by_task = len(value) == len(tasks) and path.rpartition("/")[2] in _BY_TASK
        keys = [TASK + task for task in tasks] if by_task else [str(number) for number in range(len(value))]
        inner = list(zip(keys, value, strict=True))
    elif isinstance(value, keras.layers.Layer | keras.random.SeedGenerator):
        inner = [
            (name.lstrip("_"), item)
            for name, item in vars(value).items()
            if not name.startswith("_self_") and name.lstrip("_") not in _BOOKKEEPING
        ]
    else:
        return
    if id(value) in seen:
        return
    seen.add(id(value))
    for name, item in inner:
        yield from _walk(item, f"{path}/{name}", tasks, seen)
