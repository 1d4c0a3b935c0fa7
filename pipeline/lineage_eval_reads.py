"""Counts the evaluations that read a recipe's eval split, in ML Metadata."""

from __future__ import annotations

import json
from collections.abc import Iterable

import ml_metadata as mlmd
from ml_metadata.proto import metadata_store_pb2

COMPLETE, CACHED = metadata_store_pb2.Execution.COMPLETE, metadata_store_pb2.Execution.CACHED
INPUT, OUTPUT = metadata_store_pb2.Event.INPUT, metadata_store_pb2.Event.OUTPUT
EVALUATOR = "components.evaluation.component.Evaluator"


def eval_reads(store: mlmd.MetadataStore, run: int) -> int | None:
    """Number of evaluations in the store that read the eval split of this run.

    An evaluation counts if it completed and did not come from the cache. Two eval splits are the same if the log files have
    the same names and contents, and the recipes select the eval split alike (`_split`). Other features, tasks or windows do
    not make another eval split.

    Args:
        store: the metadata store of the recipe.
        run: id of the run's context.

    Returns:
        None if the run has no evaluation.
    """
    evaluations = {
        found.id: found
        for found in store.get_executions_by_type(EVALUATOR)
        if found.last_known_state in (COMPLETE, CACHED)
    }
    ours = [found.id for found in store.get_executions_by_context(run) if found.id in evaluations]
    if not ours:
        return None
    read = _splits_read(store, evaluations)
    return sum(read[key] == read[ours[-1]] for key, found in evaluations.items() if found.last_known_state == COMPLETE)


def _splits_read(store: mlmd.MetadataStore, evaluations: Iterable[int]) -> dict[int, str]:
    """Id of each evaluation -> the eval split that it read, as text."""
    examples = {
        event.execution_id: event.artifact_id
        for event in store.get_events_by_execution_ids(list(evaluations))
        if event.type == INPUT and event.path.steps[0].key == "examples"
    }
    # A cached execution has the same output as the one that made it, and the same properties.
    makers = {
        event.artifact_id: event.execution_id
        for event in store.get_events_by_artifact_ids(sorted(set(examples.values())))
        if event.type == OUTPUT
    }
    splits = {found.id: _split(found) for found in store.get_executions_by_id(sorted(set(makers.values())))}
    return {evaluation: splits[makers[artifact]] for evaluation, artifact in examples.items()}


def _split(event_logs: metadata_store_pb2.Execution) -> str:
    """What selects the eval split in an execution of EventLogs: log files, impressions, `as_of` and the `eval` keys of `split`."""
    plan = json.loads(event_logs.custom_properties["plan"].string_value)
    chosen = {key: value for key, value in plan["split"].items() if key.startswith("eval")}
    files = event_logs.custom_properties["fingerprint"].string_value
    return json.dumps([files, plan["impressions"], plan["as_of"], chosen], sort_keys=True)
