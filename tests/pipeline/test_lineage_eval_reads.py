"""Counts the evaluations in metadata stores made by hand."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import ml_metadata as mlmd
import pytest
from ml_metadata.proto import metadata_store_pb2 as pb

from pipeline.lineage_eval_reads import EVALUATOR, eval_reads

STATES = {"complete": pb.Execution.COMPLETE, "cached": pb.Execution.CACHED, "failed": pb.Execution.FAILED}
PLAN: dict[str, Any] = {
    "impressions": "view",
    "as_of": None,
    "split": {"eval_fraction": 0.2, "gap": 0},
    "tasks": ["like"],
}


class Store:
    """A store to which whole runs are added."""

    def __init__(self, file: Path) -> None:
        config = pb.ConnectionConfig()
        config.sqlite.filename_uri = str(file)
        self.store = mlmd.MetadataStore(config)
        logs = "components.event_logs.component.EventLogs"
        self._types = {
            name: self.store.put_execution_type(pb.ExecutionType(name=name))
            for name in (EVALUATOR, f"x.Retrieval{EVALUATOR}", logs)
        }
        self._logs = self._types[logs]
        self._artifact = self.store.put_artifact_type(pb.ArtifactType(name="Examples"))
        self._run = self.store.put_context_type(pb.ContextType(name="pipeline_run"))
        self._names = itertools.count()

    def examples(self, files: str = "a", **plan: Any) -> int:
        """Examples that EventLogs wrote."""
        made = pb.Execution(type_id=self._logs, last_known_state=pb.Execution.COMPLETE)
        made.custom_properties["plan"].string_value = json.dumps(PLAN | plan)
        made.custom_properties["fingerprint"].string_value = files
        [artifact] = self.store.put_artifacts([pb.Artifact(type_id=self._artifact, uri=str(next(self._names)))])
        self._add(made, artifact, pb.Event.OUTPUT)
        return int(artifact)

    def run(self, examples: int | None, state: str = "complete", kind: str = EVALUATOR) -> int:
        """A run with an evaluation of the examples; returns its context."""
        [context] = self.store.put_contexts([pb.Context(type_id=self._run, name=str(next(self._names)))])
        if examples is not None:
            made = pb.Execution(type_id=self._types[kind], last_known_state=STATES[state])
            execution = self._add(made, examples, pb.Event.INPUT)
            self.store.put_attributions_and_associations(
                [], [pb.Association(context_id=context, execution_id=execution)]
            )
        return int(context)

    def _add(self, made: pb.Execution, artifact: int, kind: Any) -> int:
        [execution] = self.store.put_executions([made])
        event = pb.Event(execution_id=execution, artifact_id=artifact, type=kind)
        event.path.steps.add().key = "examples"
        self.store.put_events([event])
        return int(execution)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "metadata.sqlite")


def test_completed_evaluations_of_the_same_examples_count(store: Store) -> None:
    same = store.examples()
    first, failed = store.run(same), store.run(same, "failed")
    assert eval_reads(store.store, first) == 1
    assert eval_reads(store.store, failed) is None, "the run was not evaluated"
    cached, second = store.run(same, "cached"), store.run(same)
    store.run(same, kind=f"x.Retrieval{EVALUATOR}")
    assert [eval_reads(store.store, run) for run in (first, cached, second)] == [2, 2, 2], "in whatever order"
    assert eval_reads(store.store, store.run(None)) is None


@pytest.mark.parametrize(
    ("changed", "reads"),
    [
        ({"tasks": ["like", "follow"]}, 2),
        ({"split": {"eval_fraction": 0.2, "gap": 5, "validate_fraction": 0.1}}, 2),
        ({"split": {"eval_fraction": 0.3, "gap": 0}}, 1),
        ({"as_of": 7}, 1),
        ({"impressions": "open"}, 1),
        ({"files": "b"}, 1),
    ],
)
def test_what_makes_another_eval_split(changed: dict[str, Any], reads: int, store: Store) -> None:
    one, other = store.run(store.examples()), store.run(store.examples(**changed))
    assert [eval_reads(store.store, run) for run in (one, other)] == [reads, reads]
