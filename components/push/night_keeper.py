"""NightKeeper: what the Pusher of a night records about it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tfx import types
from tfx.proto import pusher_pb2
from tfx.types import artifact_utils
from tfx.types import standard_component_specs as specs
from tfx.utils import proto_utils

from components.push.nights import (
    STATE,
    NightPlan,
    Record,
    free_version,
    kept_versions,
    learned_days,
    newer_day,
    record_of,
    remove_states,
    write_record,
)
from models.recipe.errors import InputError
from models.recipe.night import Cursor

NOT_LOADED = "every gate is held, but the probe or the model server did not accept the exported model"


def cursor_of(examples: Path) -> Cursor:
    """What a model of the examples has learned from, as EventLogs has written it.

    Raises:
        InputError: the examples do not tell it.
    """
    summary = json.loads((examples / "summary.json").read_text(encoding="utf-8"))
    if not summary.get("cursor"):
        raise InputError(
            f"{examples}: expected examples of days, which say what a model of them has learned from. Run EventLogs again."
        )
    return Cursor(**summary["cursor"])


def exports_its_start(model_run: Path) -> bool:
    """Whether a training exported the weights that it began with, because no evaluation was better (`models.training.start_evaluation`)."""
    file = model_run / "history.json"
    if not file.is_file():
        return False
    history = json.loads(file.read_text(encoding="utf-8"))
    return bool(history.get("start")) and history["best_epoch"] == 0


@dataclasses.dataclass(frozen=True, kw_only=True)
class NightKeeper:
    """Writes the record of a night.

    Attributes:
        plan: the night.
        states: folder of the nights.
        served: folder of the versions of the model.
        state: folder of the state of the model.
        cursor: what the model has learned from.
        evaluation: content of metrics.json.
    """

    plan: NightPlan
    states: Path
    served: Path
    state: Path
    cursor: Cursor
    evaluation: Mapping[str, Any]

    @classmethod
    def of(
        cls, input_dict: Mapping[str, list[types.Artifact]], exec_properties: Mapping[str, Any]
    ) -> NightKeeper | None:
        """The keeper of a Pusher's run; None if the run is no night.

        Raises:
            InputError: the examples do not tell what a model of them has learned from.
        """
        if not exec_properties.get("night"):
            return None
        examples, model_run, evaluation = (
            Path(artifact_utils.get_single_instance(input_dict[name]).uri)
            for name in ("examples", "model_run", "evaluation")
        )
        plan = NightPlan.model_validate_json(exec_properties["night"])
        cursor, state = cursor_of(examples), model_run / STATE
        if plan.night.cursor is not None and exports_its_start(model_run):
            # What the night has read was not learned, and its ids were counted in vain: the next night reads it again.
            cursor, state = plan.night.cursor, Path(plan.night.state)
        destination = pusher_pb2.PushDestination()
        proto_utils.json_to_proto(exec_properties[specs.PUSH_DESTINATION_KEY], destination)
        return cls(
            plan=plan,
            states=Path(exec_properties["states"]),
            served=Path(destination.filesystem.base_directory),
            state=state,
            cursor=cursor,
            evaluation=json.loads((evaluation / "metrics.json").read_text(encoding="utf-8")),
        )

    def pushed(self, version: int) -> None:
        """Records a pushed model, with its state."""
        write_record(self.states, self._record(version, pushed=True), self.state)

    def refused(self, version: int) -> None:
        """Records a refused model, and which days no later training reads because of it.

        If every gate is held, the exported model failed the probe or the model server. This is not the fault of the days: none is left out.
        """
        reasons = tuple(gate["message"] for gate in self.evaluation["gates"] if not gate["held"])
        at_fault = (
            self.plan.eval_days if self.evaluation.get("day_at_fault") else learned_days(self.plan.night, self.cursor)
        )
        about = {"reasons": reasons, "left_out": at_fault} if reasons else {"reasons": (NOT_LOADED,)}
        record = self._record(free_version(self.states, version, self.plan.night.day), pushed=False)
        write_record(self.states, record.model_copy(update=about), None)

    def newer(self) -> str:
        """Why the model is not pushed although it is blessed, in words; "" if nothing is against it."""
        newer = newer_day(self.states, self.served, self.plan.night.day)
        if newer is None:
            return ""
        return (
            f"the model of {self.plan.night.day} is not pushed, because version {newer.version} of {newer.day} is newer, and servers take the "
            f"version that was pushed last. To serve models of {self.plan.night.day} again: gatewise rollback {self.served} VERSION."
        )

    def prune(self, base: Path) -> None:
        """Removes the states of versions that are gone, and that no rollback can restore."""
        remove_states(self.states, kept_versions(base))

    def _record(self, version: int, pushed: bool) -> Record:
        measured = {"metrics": self.evaluation["tasks"], "baseline": self.evaluation["baseline"] or {}}
        return record_of(self.plan.night, self.cursor, version, pushed=pushed, **measured)
