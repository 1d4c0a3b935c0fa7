"""A run is read from ML Metadata by its name."""

from __future__ import annotations

import json
from pathlib import Path

import ml_metadata as mlmd
import pytest
from ml_metadata.proto import metadata_store_pb2 as pb

from models.recipe.errors import InputError
from pipeline.lineage import last_run, read_run
from pipeline.run_paths import run_paths_in

A, B = "20260101-080000-11", "20260102-080000-12"
FILES = '{"a.parquet":[10,"x"]}'


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A store with two runs: A finished both stages, and the Trainer of B failed."""
    config = pb.ConnectionConfig()
    config.sqlite.filename_uri = str(tmp_path / "metadata.sqlite")
    store = mlmd.MetadataStore(config)
    run, node = (store.put_context_type(pb.ContextType(name=name)) for name in ("pipeline_run", "node"))
    for name, ended in ((A, pb.Execution.COMPLETE), (B, pb.Execution.FAILED)):
        [context] = store.put_contexts([pb.Context(type_id=run, name=name)])
        config_of_trainer = json.dumps({"code": f"of {name}"})
        for stage, state, properties in (
            ("EventLogs", pb.Execution.COMPLETE, {"code": "ee", "fingerprint": FILES}),
            ("Trainer", ended, {"custom_config": config_of_trainer}),
        ):
            kind = store.put_execution_type(pb.ExecutionType(name=stage))
            execution = pb.Execution(type_id=kind, last_known_state=state)
            for key, value in properties.items():
                execution.custom_properties[key].string_value = value
            [made] = store.put_executions([execution])
            found = store.get_context_by_type_and_name("node", f"shop.{stage}")
            of_stage = found.id if found else store.put_contexts([pb.Context(type_id=node, name=f"shop.{stage}")])[0]
            store.put_attributions_and_associations(
                [], [pb.Association(execution_id=made, context_id=one) for one in (context, of_stage)]
            )
    return tmp_path


def test_a_run_by_its_name_and_the_newest(home: Path) -> None:
    first, newest = read_run(run_paths_in(home), A), last_run(run_paths_in(home))
    assert (first.id, newest.id) == (A, B) and 0 < first.begun <= newest.begun
    assert [stage.name for stage in first.stages] == ["EventLogs", "Trainer"]
    assert [stage.name for stage in newest.stages] == ["EventLogs"]


def test_the_code_of_a_stage_that_failed_is_known(home: Path) -> None:
    newest = last_run(run_paths_in(home))
    assert newest.code == {"EventLogs": "ee", "Trainer": f"of {B}"} and newest.fingerprint == FILES


def test_a_run_that_the_store_does_not_have(home: Path) -> None:
    with pytest.raises(InputError, match="has no run '20260103-1'; it ended before its first stage"):
        read_run(run_paths_in(home), "20260103-1")
