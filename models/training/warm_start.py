"""WarmStart: a training goes on from the state of an earlier one, by the names of the variables and by the ids of the rows."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from models.features.encoder import encoder_of
from models.features.ids import WAITING, Ids, moved, read_ids
from models.features.layout import IDS_FILE, FeatureLayout
from models.features.value_ids import out_of_vocabulary_ids
from models.layers.fused_tables import PADDING_ROW, FusedTable
from models.recipe.features import Categorical
from models.training.carried import carried
from models.training.multi_task_model import MultiTaskModel
from models.training.state import FEATURES, State, read_state, set_scales, table_averages
from models.training.state_names import named_variables

logger = logging.getLogger(__name__)

_COUNTS = "row_counts:RowCounts"
NEW = -1
"""Source of a row that no row of the state becomes."""


@dataclasses.dataclass(frozen=True)
class WarmStart:
    """The state to go on from, and the features of this training.

    Args:
        state: folder of the state.
        transform_graph: folder of this training's TransformGraph.
    """

    state: Path
    transform_graph: Path

    def apply(self, model: MultiTaskModel) -> dict[str, Any]:
        """Sets the variables of a compiled model.

        - A variable takes the value of the state's variable with the same name and shape, if it is that of the same task
          (`models.training.carried`); the others keep theirs from the seed.
        - A row of an embedding table takes that of the same value. A value without a row in the state starts from its
          out-of-vocabulary row, with the initial state of the optimizer. Rows for missing and out-of-vocabulary values, of hashes and
          of intervals are the same by position if there are as many.
        - Tasks keep offset, scale and unit of their logits; a new task has those of its own labels.
        - The learning-rate schedule counts the steps of this training, the optimizer those of all.

        Returns:
            {"from": folder, "mapped": number of variables, "new": [name], "dropped": [name], "rows": {table: {"kept", "new", "free"}}}.

        Raises:
            InputError: the state is damaged.
        """
        state = read_state(self.state)
        own, given = _without_counts(named_variables(model)), _without_counts(state.variables)
        shapes = {name: tuple(variable.shape) for name, variable in own.items()}
        same = carried(shapes, {name: array.shape for name, array in given.items()}, model.tasks, tuple(state.scales))
        if model.average is not None and "average/updates" in same:
            # What is new begins its average at its own value, not at 0.
            for average, variable in zip(model.average.averages, model.averaged, strict=True):
                average.assign(variable.value)
        for name in same:
            own[name].assign(given[name])
        model.architecture.restored()
        set_scales(model, state.scales)
        rows = self._set_rows(model, state)
        if model.rate is not None:
            model.rate.start = int(keras.ops.convert_to_numpy(model.optimizer.iterations))
        new, dropped = sorted(own.keys() - set(same)), sorted(given.keys() - set(same))
        logger.info(
            "Warm start from %s: %d variables go on, %d are new, %d are dropped.",
            self.state,
            len(same),
            len(new),
            len(dropped),
        )
        for words, names in (("New", new), ("Dropped", dropped)):
            if names:
                logger.info("%s: %s%s", words, ", ".join(names[:10]), " ..." if len(names) > 10 else "")
        return {"from": str(self.state), "mapped": len(same), "new": new, "dropped": dropped, "rows": rows}

    def _set_rows(self, model: MultiTaskModel, state: State) -> dict[str, dict[str, int]]:
        before = FeatureLayout.load(self.state / FEATURES)
        after = FeatureLayout.load(self.transform_graph)
        ids = _ids(self.state / FEATURES), _ids(self.transform_graph)
        # With another number of embeddings of each value, the rows have other parts.
        tables = encoder_of(before).fused if state.copies == model.encoder.copies else []
        old_fused = {table.dim: (number, table) for number, table in enumerate(tables)}
        told: dict[str, dict[str, int]] = {}
        for number, table in enumerate(model.encoder.fused):
            sources, starts = row_sources(table, old_fused.get(table.dim, (0, None))[1], before, after, *ids, told)
            if (sources == NEW).all():
                continue
            place = old_fused[table.dim][0]
            for held, variables in (
                (state.tables, model.encoder.embeddings),
                (state.table_averages, table_averages(model)),
            ):
                if number < len(variables) and place < len(held):
                    own = keras.ops.convert_to_numpy(variables[number])
                    variables[number].assign(_moved(own, held[place], np.maximum(sources, starts)))
            if number < len(model.embedding_optimizer.states) and place < len(state.table_states):
                moments, given = model.embedding_optimizer.states[number], state.table_states[place]
                if moments.shape[1] == given.shape[1]:
                    moments.assign(_moved(keras.ops.convert_to_numpy(moments), given, sources))
            if (
                model.row_counts is not None
                and (counts := state.variables.get(f"{_COUNTS}/totals/{place}")) is not None
            ):
                model.row_counts.totals[number].assign(np.where(sources == NEW, 0.0, counts[np.maximum(sources, 0)]))
        return told


def _without_counts(named: Mapping[str, Any]) -> dict[str, Any]:
    """Without the counts of the rows, which go on by id."""
    return {name: variable for name, variable in named.items() if not name.startswith(_COUNTS)}


def row_sources(
    table: FusedTable,
    old: FusedTable | None,
    before: FeatureLayout,
    after: FeatureLayout,
    old_ids: Ids | None,
    new_ids: Ids | None,
    told: dict[str, dict[str, int]],
) -> tuple[np.ndarray, np.ndarray]:
    """Where the rows of a fused table come from.

    Args:
        table, old: the fused tables of one width, of this training and of the state.
        before, after: the layouts of the state and of this training.
        old_ids, new_ids: their ledgers.
        told: gets {table: {"kept", "new", "free": rows}}.

    Returns:
        (rows,) the row of the state that a row goes on from, NEW for none; and (rows,) the row of the state from which a new id starts,
        NEW for none.
    """
    sources, starts = np.full(table.rows, NEW, np.int64), np.full(table.rows, NEW, np.int64)
    if old is not None:
        sources[PADDING_ROW] = PADDING_ROW
    places = moved(old_ids, new_ids) if old_ids and new_ids else {}
    for name, offset in table.offsets.items():
        rows = after.tables[name][0]
        part, start = np.full(rows, NEW, np.int64), np.full(rows, NEW, np.int64)
        if old is not None and name in old.offsets:
            its_rows, its_offset = before.tables[name][0], old.offsets[name]
            if name in places and old_ids and new_ids and name in old_ids.capacities:
                first, its_first = rows - new_ids.capacities[name], its_rows - old_ids.capacities[name]
                part[: first if first == its_first else 1] = np.arange(first if first == its_first else 1)
                live = places[name]
                kept = live != WAITING
                at = first + np.arange(len(live))
                part[at[kept]] = its_first + live[kept]
                start[at[~kept]] = _out_of_vocabulary(new_ids, name, ~kept, its_first)
            elif rows == its_rows and name not in (new_ids.capacities if new_ids else ()):
                part = np.arange(rows)
            part = np.where(part == NEW, NEW, part + its_offset)
            start = np.where(start == NEW, NEW, start + its_offset)
        told[name] = {"kept": int((part != NEW).sum()), "new": int((start != NEW).sum())}
        told[name]["free"] = rows - told[name]["kept"] - told[name]["new"]
        sources[offset : offset + rows], starts[offset : offset + rows] = part, start
    return sources, starts


def _out_of_vocabulary(ids: Ids, table: str, wanted: np.ndarray, buckets_end: int) -> np.ndarray:
    """The out-of-vocabulary rows that values had in a table whose values begin at row `buckets_end`."""
    lines = ids.vocabulary(table).filter(wanted).to_list()
    if not lines:
        return np.empty(0, np.int64)
    feature = Categorical.model_validate(
        {"kind": "categorical", "type": ids.types[table], "oov_buckets": buckets_end - 1}
    )
    return out_of_vocabulary_ids(lines, feature)


def _moved(own: np.ndarray, given: np.ndarray, sources: np.ndarray) -> np.ndarray:
    """The rows of `given` at their sources; `own` where there is none."""
    found: np.ndarray = np.where((sources == NEW)[:, None], own, given[np.maximum(sources, 0)])
    return found


def _ids(folder: Path) -> Ids | None:
    return read_ids(folder) if (folder / IDS_FILE).is_file() else None


def start_of(state: str, transform_graph: Path) -> WarmStart | None:
    """The warm start of a plan; None for a start from the seed."""
    return WarmStart(Path(state), transform_graph) if state else None
