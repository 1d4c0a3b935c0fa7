"""The resolver in a real pipeline: LocalDagRunner, sqlite metadata, several runs."""

import os

import ml_metadata as mlmd
import pytest
import tensorflow_data_validation as tfdv
from ml_metadata.proto import metadata_store_pb2
from tfx import types
from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.orchestration import metadata, pipeline
from tfx.orchestration.local import local_dag_runner
from tfx.types import standard_artifacts

from components.validation.baseline import LastGoodStatistics, baseline_statistics_resolver
from components.validation.component import Validation
from components.validation.plan import ValidationPlan
from models.recipe.errors import InputError


@component
def MakeStatistics(statistics: OutputArtifact[standard_artifacts.ExampleStatistics], phones: Parameter[int]):
    import pandas

    statistics.split_names = '["train"]'
    frame = pandas.DataFrame({"device": ["phone"] * phones + ["tablet"] * (100 - phones)})
    os.makedirs(os.path.join(statistics.uri, "Split-train"))
    with open(os.path.join(statistics.uri, "Split-train", "FeatureStats.pb"), "wb") as file:
        file.write(tfdv.generate_statistics_from_dataframe(frame).SerializeToString())


@component
def MakeSchema(schema: OutputArtifact[standard_artifacts.Schema]):
    with open(os.path.join(schema.uri, "schema.pbtxt"), "w") as file:
        file.write('feature { name: "device" type: BYTES }')


@component
def Learn(
    anomalies: InputArtifact[standard_artifacts.ExampleAnomalies], model: OutputArtifact[standard_artifacts.Model]
):
    pass


@pytest.fixture
def run(tmp_path):
    connection = metadata.sqlite_metadata_connection_config(str(tmp_path / "metadata.sqlite"))

    def states() -> dict[str, str]:
        """Node -> state of its newest execution, and what the validation was compared with."""
        store = mlmd.MetadataStore(connection)
        newest = max(context.id for context in store.get_contexts_by_type("pipeline_run"))
        found = {}
        for execution in store.get_executions_by_context(newest):
            [node] = [c for c in store.get_contexts_by_execution(execution.id) if c.type_id == node_type(store)]
            name = node.name.rpartition(".")[2]
            found[name] = metadata_store_pb2.Execution.State.Name(execution.last_known_state)
            if name == "Validation":
                for event in store.get_events_by_execution_ids([execution.id]):
                    if event.path.steps[0].key == "baseline_statistics":
                        found["baseline"] = event.artifact_id
        return found

    def node_type(store):
        return store.get_context_type("node").id

    def run(phones: int, **plan) -> dict[str, str]:
        statistics = MakeStatistics(phones=phones)
        schema = MakeSchema()
        baseline = baseline_statistics_resolver(statistics.outputs["statistics"])
        validation = Validation(
            statistics=statistics.outputs["statistics"],
            schema=schema.outputs["schema"],
            baseline_statistics=baseline.outputs["baseline_statistics"],
            plan=ValidationPlan(drift={"device": 0.1}, **plan).model_dump_json(),
            code="1",
        )
        learn = Learn(anomalies=validation.outputs["anomalies"])
        local_dag_runner.LocalDagRunner().run(
            pipeline.Pipeline(
                pipeline_name="shop",
                pipeline_root=str(tmp_path / "artifacts"),
                components=[statistics, schema, baseline, validation, learn],
                enable_cache=True,
                metadata_connection_config=connection,
            )
        )
        return states()

    run.states = states
    return run


# a resolver runs always; it is its result that stays the same
CACHED = {
    **dict.fromkeys(("MakeStatistics", "MakeSchema", "Validation", "Learn"), "CACHED"),
    "baseline_statistics": "COMPLETE",
}


def test_only_good_older_runs_are_compared_with(run):
    first = run(50)
    assert "baseline" not in first
    assert first["Validation"] == first["Learn"] == "COMPLETE"

    again = run(50)
    assert again == CACHED

    with pytest.raises(InputError, match=r"column 'device', split train: drift since the last good run: .* 0.3, above"):
        run(20)
    stopped = run.states()
    assert stopped["Validation"] == "FAILED" and "Learn" not in stopped
    good = stopped["baseline"]

    # 5 hundredths from the first run, 35 from the stopped one
    third = run(55)
    assert third["baseline"] == good
    assert third["Validation"] == "COMPLETE"

    # now compared with the third run, not with the first, from which it is 14 hundredths away
    fourth = run(64)
    assert fourth["baseline"] > good
    assert run(64) == {**CACHED, "baseline": fourth["baseline"]}

    # what a warning lets through is what the next run is compared with
    fifth = run(10, on_drift="warn")
    assert fifth["Learn"] == "COMPLETE"
    assert run(12)["baseline"] > fifth["baseline"]


def artifact(artifact_type: type[types.Artifact], artifact_id: int, uri, **properties: int) -> types.Artifact:
    made = artifact_type()
    made.id, made.uri = artifact_id, str(uri)
    for name, value in properties.items():
        made.set_int_custom_property(name, value)
    return made


def test_strategy(tmp_path):
    statistics = [artifact(standard_artifacts.ExampleStatistics, number, tmp_path) for number in (1, 3, 5, 7, 9)]
    statistics[2].uri = str(tmp_path / "deleted")
    anomalies = [
        artifact(standard_artifacts.ExampleAnomalies, 10 + number, tmp_path, statistics_id=number, passed=passed)
        for number, passed in ((1, 1), (3, 1), (5, 1), (7, 0), (9, 1))
    ]
    anomalies.append(artifact(standard_artifacts.ExampleAnomalies, 30, tmp_path))
    inputs = {"candidate": [statistics[4]], "baseline_statistics": statistics, "anomalies": anomalies}
    # 9 is the candidate itself, 7 did not pass, 5 is gone from disk
    found = LastGoodStatistics().resolve_artifacts(None, inputs)
    assert [one.id for one in found["baseline_statistics"]] == [3]
    assert [one.id for one in found["anomalies"]] == [13]
    assert found["candidate"] == [statistics[4]]

    found = LastGoodStatistics().resolve_artifacts(None, {**inputs, "candidate": [statistics[0]]})
    assert found["baseline_statistics"] == [] and found["anomalies"] == []
    found = LastGoodStatistics().resolve_artifacts(None, {**inputs, "candidate": []})
    assert found["baseline_statistics"] == []


def test_the_newest_good_statistics_of_the_same_weekday(tmp_path):
    def made(kind, number, **properties):
        artifact = kind()
        artifact.mlmd_artifact.id = number
        artifact.uri = str(tmp_path)
        for name, value in properties.items():
            artifact.set_int_custom_property(name, value)
        return artifact

    spans = {1: 8, 2: 15, 3: 16, 4: 22, 5: 23}
    statistics = {number: made(standard_artifacts.ExampleStatistics, number) for number in spans}
    for number, span in spans.items():
        statistics[number].span = span
    good = [made(standard_artifacts.ExampleAnomalies, 10 + number, passed=1, statistics_id=number) for number in spans]

    def found(candidate, every, passed=good):
        inputs = {
            "candidate": [statistics[candidate]],
            "baseline_statistics": list(statistics.values()),
            "anomalies": passed,
        }
        resolved = LastGoodStatistics(every=every).resolve_artifacts(None, inputs)
        return [artifact.id for artifact in resolved["baseline_statistics"]]

    assert found(4, 7) == [2] and found(5, 7) == [3] and found(1, 7) == found(3, 7) == []
    assert found(4, 0) == [3]
    assert found(4, 7, passed=[good[0], *good[2:]]) == [1], "day 15 did not pass"
