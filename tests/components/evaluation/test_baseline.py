"""The resolver in a real pipeline: LocalDagRunner, sqlite metadata, several runs."""

import json
import shutil
from pathlib import Path

import ml_metadata as mlmd
import pytest
import tensorflow_model_analysis as tfma
from ml_metadata.proto import metadata_store_pb2
from tfx import types
from tfx.dsl.component.experimental.annotations import OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.dsl.components.common.importer import Importer
from tfx.orchestration import metadata, pipeline
from tfx.orchestration.local import local_dag_runner
from tfx.types import standard_artifacts

from components.evaluation.baseline import OlderBlessedModel, baseline_model_resolver
from components.evaluation.component import Evaluator
from components.evaluation.plan import EvaluationPlan
from components.push.withdrawn import Note, note_file, withdrawn_folder, write_note

PLAN = EvaluationPlan.model_validate(
    {
        "tasks": {
            "click": {
                "kind": "binary",
                "metrics": ["auc", "log_loss"],
                "gates": [{"metric": "log_loss", "max_loss_to_baseline": 0.01, "max_loss_to_best": 0.012}],
            }
        }
    }
)


@component
def MakeModel(model: OutputArtifact[standard_artifacts.Model], source: Parameter[str]):
    shutil.copytree(source, model.uri, dirs_exist_ok=True)


@pytest.fixture
def run(tmp_path, make_split):
    connection = metadata.sqlite_metadata_connection_config(str(tmp_path / "metadata.sqlite"))
    split = make_split()

    def states() -> tuple[dict[str, str], dict[str, int]]:
        """Node -> state of its execution; and the blessing's properties."""
        store = mlmd.MetadataStore(connection)
        newest = max(context.id for context in store.get_contexts_by_type("pipeline_run"))
        node_type = store.get_context_type("node").id
        found, blessing = {}, {}
        for execution in store.get_executions_by_context(newest):
            [node] = [c for c in store.get_contexts_by_execution(execution.id) if c.type_id == node_type]
            name = node.name.rpartition(".")[2]
            found[name] = metadata_store_pb2.Execution.State.Name(execution.last_known_state)
            if name == "Evaluator":
                for event in store.get_events_by_execution_ids([execution.id]):
                    [artifact] = store.get_artifacts_by_id([event.artifact_id])
                    if event.path.steps[0].key == "blessing":
                        blessing = {
                            key: getattr(value, value.WhichOneof("value"))
                            for key, value in artifact.custom_properties.items()
                        }
                    if event.path.steps[0].key == "evaluation":
                        assert tfma.load_validation_result(artifact.uri) is not None
                        assert "click" in json.loads((Path(artifact.uri) / "metrics.json").read_text())["tasks"]
        return found, blessing

    def importer(artifact, name):
        properties = {"split_names": artifact.split_names}
        made = Importer(source_uri=artifact.uri, artifact_type=standard_artifacts.Examples, properties=properties)
        return made.with_id(name)

    def run(source: str):
        raw, transformed = importer(split.examples, "raw"), importer(split.transformed, "transformed")
        model = MakeModel(source=source)
        baseline = baseline_model_resolver(model.outputs["model"])
        evaluator = Evaluator(
            examples=raw.outputs["result"],
            transformed_examples=transformed.outputs["result"],
            model=model.outputs["model"],
            baseline_model=baseline.outputs["baseline_model"],
            baseline_blessing=baseline.outputs["model_blessing"],
            plan=PLAN.model_dump_json(),
            code="1",
        )
        local_dag_runner.LocalDagRunner().run(
            pipeline.Pipeline(
                pipeline_name="shop",
                pipeline_root=str(tmp_path / "artifacts"),
                components=[raw, transformed, model, baseline, evaluator],
                enable_cache=True,
                metadata_connection_config=connection,
            )
        )
        return states()

    return run


def test_the_newest_blessed_model_before_the_candidate(run, make_model):
    good, bad, better = (make_model(name, 1, bias=bias).uri for name, bias in (("a", 0.2), ("b", 2.0), ("c", 0.0)))
    first, first_blessing = run(good)
    assert first["Evaluator"] == "COMPLETE"
    assert first_blessing["blessed"] == 1 and "baseline_model_id" not in first_blessing

    # unchanged: the candidate is not its own baseline, so nothing is evaluated again
    again, _ = run(good)
    assert again["Evaluator"] == again["MakeModel"] == "CACHED"

    second, blessing = run(bad)
    assert second["Evaluator"] == "COMPLETE"
    assert blessing["blessed"] == 0
    assert blessing["baseline_model_id"] == first_blessing["current_model_id"]

    # the rejected model is no baseline
    _, blessing = run(better)
    assert blessing["blessed"] == 1
    assert blessing["baseline_model_id"] == first_blessing["current_model_id"]
    assert run(better)[0]["Evaluator"] == "CACHED"

    # a little worse than the baseline is blessed; the same once more, and it is too far from the best
    record = json.loads(blessing["best_values"])
    assert len(record) == 2
    a_little, too_far = (make_model(name, 1, bias=bias).uri for name, bias in (("d", 0.2), ("e", 0.27)))
    _, blessing = run(a_little)
    assert blessing["blessed"] == 1 and json.loads(blessing["best_values"]) == record
    _, blessing = run(too_far)
    assert blessing["blessed"] == 0 and "best_values" not in blessing


def artifact(artifact_type: type[types.Artifact], artifact_id: int, uri, **properties: int) -> types.Artifact:
    made = artifact_type()
    made.id, made.uri = artifact_id, str(uri)
    for name, value in properties.items():
        made.set_int_custom_property(name, value)
    return made


class Store:
    """A metadata store that has only PushedModels."""

    def __init__(self, *pushed: types.Artifact) -> None:
        self._pushed = [one.mlmd_artifact for one in pushed]

    def get_artifacts_by_type(self, name: str) -> list[metadata_store_pb2.Artifact]:
        assert name == "PushedModel"
        return self._pushed


def test_strategy(tmp_path):
    models = [artifact(standard_artifacts.Model, number, tmp_path) for number in (1, 3, 5, 7, 9)]
    models[2].uri = str(tmp_path / "deleted")
    blessings = [
        artifact(standard_artifacts.ModelBlessing, 10 + number, tmp_path, current_model_id=number, blessed=blessed)
        for number, blessed in ((1, 1), (3, 1), (5, 1), (7, 0), (9, 1))
    ]
    inputs = {"candidate": [models[4]], "baseline_model": models, "model_blessing": blessings}
    # 9 is the candidate itself, 7 is not blessed, 5 is gone from disk
    found = OlderBlessedModel().resolve_artifacts(Store(), inputs)
    assert [one.id for one in found["baseline_model"]] == [3]
    assert [one.id for one in found["model_blessing"]] == [13]
    found = OlderBlessedModel().resolve_artifacts(Store(), {**inputs, "candidate": [models[0]]})
    assert found["baseline_model"] == [] and found["candidate"] == [models[0]]
    assert OlderBlessedModel().resolve_artifacts(Store(), {**inputs, "candidate": []})["baseline_model"] == []

    # 3 was an experiment; once a run was to push it, it is a baseline as before
    experiment = artifact(standard_artifacts.PushedModel, 20, tmp_path, model_id=3, pushed=0, push_disabled=1)
    refused = artifact(standard_artifacts.PushedModel, 21, tmp_path, model_id=1, pushed=0)
    pushed = artifact(standard_artifacts.PushedModel, 22, tmp_path, model_id=3, pushed=1)
    older_day = artifact(standard_artifacts.PushedModel, 23, tmp_path, model_id=3, pushed=0)
    older_day.set_string_custom_property("newer_day", "version 1 of 2026-01-09 is newer")
    stores = (Store(experiment, refused), 1), (Store(older_day, refused), 1), (Store(experiment, refused, pushed), 3)
    for store, expected in stores:
        assert [one.id for one in OlderBlessedModel().resolve_artifacts(store, inputs)["baseline_model"]] == [expected]


def test_a_withdrawn_model_is_passed_over_and_named(tmp_path, caplog):
    served = tmp_path / "serving" / "shop"
    models = [artifact(standard_artifacts.Model, number, tmp_path) for number in (1, 3, 5)]
    blessings = [
        artifact(standard_artifacts.ModelBlessing, 10 + number, tmp_path, current_model_id=number, blessed=1)
        for number in (1, 3)
    ]
    inputs = {"candidate": [models[2]], "baseline_model": models, "model_blessing": blessings}

    def pushed(number: int, model: int, version: int) -> types.Artifact:
        made = artifact(standard_artifacts.PushedModel, number, tmp_path, model_id=model, pushed=1)
        made.set_string_custom_property("pushed_destination", str(served / str(version)))
        return made

    def resolved(*pushes: types.Artifact) -> list[int]:
        found = OlderBlessedModel().resolve_artifacts(Store(*pushes), inputs)
        assert [10 + one.id for one in found["baseline_model"]] == [one.id for one in found["model_blessing"]]
        return [one.id for one in found["baseline_model"]]

    pushes = pushed(20, 1, 100), pushed(21, 3, 200)
    (served / "100").mkdir(parents=True)
    (served / "200").mkdir()
    assert resolved(*pushes) == [3] and caplog.text == ""

    note = Note(at="2026-01-31T08:00:00.000000+00:00", served=100, reason="clicks fell")
    write_note(served, 200, note)
    assert resolved(*pushes) == [1], "from the note on, wherever the folder is"
    (served / "200").rename(withdrawn_folder(served) / "200")
    assert resolved(*pushes) == [1]
    words = "Newest blessed model: version 100 of shop. Passed over: version 200 of shop, withdrawn 2026-01-31 08:00:00 UTC (clicks fell)."
    assert [record.getMessage() for record in caplog.records] == [words] * 2

    # the same model under another number, with another partner: it is an ancestor as long as one of them is served
    (served / "150").mkdir()
    assert resolved(*pushes, pushed(22, 3, 150)) == [3]
    (served / "150").rmdir()
    assert resolved(*pushes, pushed(22, 3, 150)) == [1], "that one was pruned"
    write_note(served, 100, note)
    assert resolved(*pushes) == [] and "Newest blessed model: none. Passed over: version 200" in caplog.text
    for version in (100, 200):
        note_file(served, version).unlink()
    assert resolved(*pushes) == [3]
