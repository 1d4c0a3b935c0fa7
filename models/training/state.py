"""The state of a training, from which a later one goes on: its variables by name, its embedding rows by id.

state/variables.npz   the variables in the order of variables.json, then the tables, their optimizer state and their averages
state/variables.json  names and shapes, tasks, scales of the tasks
state/features/       layout.json, analysed.json and ids.parquet of the TransformGraph: which row is which value
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import keras
import numpy as np

from models.features.layout import ANALYSED_FILE, IDS_FILE, LAYOUT_FILE
from models.files.whole_file import write_whole
from models.recipe.errors import InputError
from models.training.multi_task_model import MultiTaskModel
from models.training.state_names import named_variables
from models.training.variables_file import write_variables

STATE, VARIABLES, ABOUT, FEATURES = "state", "variables.npz", "variables.json", "features"
_OF_OUTPUTS, _SCALES = ("offset", "scale", "shift"), ("offset", "scale", "unit")


@dataclasses.dataclass(frozen=True)
class State:
    """A state that was read.

    Attributes:
        variables: {name: array}.
        tables: the fused embedding tables, (rows, width) each.
        table_states: their optimizer state, (rows, width) each; () if the optimizer has none.
        table_averages: their running averages, (rows, width) each; () without `average_weights`.
        copies: number of embeddings of each value in a row.
        scales: {task: {"offset", "scale", "shift", "unit": list of numbers}}, in the order of the tasks.
    """

    variables: Mapping[str, np.ndarray]
    tables: tuple[np.ndarray, ...]
    table_states: tuple[np.ndarray, ...]
    table_averages: tuple[np.ndarray, ...]
    copies: int
    scales: Mapping[str, Mapping[str, list[float]]]


def write_state(folder: Path, model: MultiTaskModel) -> None:
    """Writes the variables of a compiled model and its optimizers as they are now."""
    folder.mkdir(parents=True, exist_ok=True)
    named = named_variables(model)
    tables, states, averages = model.encoder.embeddings, model.embedding_optimizer.states, table_averages(model)
    write_variables(folder / VARIABLES, [*named.values(), *tables, *states, *averages])
    about = {
        "variables": [{"name": name, "shape": list(variable.shape)} for name, variable in named.items()],
        "tables": len(tables),
        "table_states": len(states),
        "table_averages": len(averages),
        "copies": model.encoder.copies,
        "scales": scales_of(model),
    }
    write_whole(folder / ABOUT, json.dumps(about, indent=1))


def write_features(folder: Path, transform_graph: Path) -> None:
    """Copies what tells which row is which value into a state."""
    (folder / FEATURES).mkdir(parents=True, exist_ok=True)
    for name in (LAYOUT_FILE, ANALYSED_FILE, IDS_FILE):
        if (transform_graph / name).is_file():
            shutil.copyfile(transform_graph / name, folder / FEATURES / name)


def read_state(folder: Path) -> State:
    """Reads a state.

    Raises:
        InputError: a file is missing or damaged.
    """
    try:
        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        names = [one["name"] for one in about["variables"]]
        with (folder / VARIABLES).open("rb") as file, np.load(file) as archive:
            arrays = [archive[f"arr_{number}"] for number in range(len(archive.files))]
        sizes = [len(names), about["tables"], about["table_states"], about["table_averages"]]
        if len(arrays) != sum(sizes):
            raise ValueError(f"expected {sum(sizes)} arrays, found {len(arrays)}")
        first, second, third, _ = itertools.accumulate(sizes)
        return State(
            variables=dict(zip(names, arrays[:first], strict=True)),
            tables=tuple(arrays[first:second]),
            table_states=tuple(arrays[second:third]),
            table_averages=tuple(arrays[third:]),
            copies=about["copies"],
            scales=about["scales"],
        )
    except Exception as error:  # a damaged archive fails in many ways
        raise InputError(
            f"{folder}: expected the state of an earlier training ({ABOUT} and {VARIABLES}); it cannot be read ({error}). "
            "Withdraw its version with `gatewise rollback`, so that the next run goes on from an earlier one, or start cold with "
            "--set training.start=cold."
        ) from error


def table_averages(model: MultiTaskModel) -> list[keras.Variable]:
    """The running averages of the tables; [] without `average_weights`."""
    return [] if model.average is None else list(model.average.averages[: len(model.encoder.embeddings)])


def scales_of(model: MultiTaskModel) -> dict[str, dict[str, list[float]]]:
    """{task: its part of the scales}."""
    scales = model.scales
    found = {}
    for number, task in enumerate(model.tasks):
        part = slice(scales.first[number], scales.first[number] + scales.outputs[number])
        found[task] = {
            **{name: _numbers(getattr(scales, name))[part] for name in _OF_OUTPUTS},
            "unit": [_numbers(scales.unit)[number]],
        }
    return found


def set_scales(model: MultiTaskModel, given: Mapping[str, Mapping[str, list[float]]]) -> None:
    """Sets the scales of the tasks that a state has, with as many outputs. The others keep theirs.

    The shift stays that of the recipe's `negative_rate`. With another rate than the state's, the offset moves by the difference, so that
    the predictions stay the same.
    """
    own = scales_of(model)
    for task in own:
        if task in given and len(given[task]["offset"]) == len(own[task]["offset"]):
            moves = [old - new for old, new in zip(given[task]["shift"], own[task]["shift"], strict=True)]
            own[task] = {name: given[task][name] for name in _SCALES}
            own[task]["offset"] = [offset + move for offset, move in zip(own[task]["offset"], moves, strict=True)]
    for name in _SCALES:
        values = [value for task in model.tasks for value in own[task][name]]
        getattr(model.scales, name).assign(np.array(values, np.float32))


def _numbers(variable: keras.Variable) -> list[float]:
    return [float(value) for value in keras.ops.convert_to_numpy(variable)]
