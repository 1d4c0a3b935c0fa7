"""Runs before and after a rollback: LocalDagRunner, sqlite metadata, and the cache."""

from collections.abc import Callable
from pathlib import Path

import ml_metadata as mlmd
import pytest
from ml_metadata.proto import metadata_store_pb2
from tfx import types
from tfx.dsl.component.experimental.annotations import OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.orchestration import metadata, pipeline
from tfx.orchestration.local import local_dag_runner
from tfx.proto import pusher_pb2
from tfx.types import standard_artifacts

from components.evaluation.baseline import OlderBlessedModel
from components.push.component import Pusher
from components.push.rollback import roll_back, undo
from components.push.withdrawn import fingerprint
from models.files.version_folders import WHOLE, version_folders
from models.recipe.errors import InputError


@component
def MakeModel(model: OutputArtifact[standard_artifacts.Model], content: Parameter[str]) -> None:
    for file in WHOLE:
        path = Path(model.uri, "Format-Serving", file)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


@pytest.fixture
def served(tmp_path: Path) -> Path:
    for file in WHOLE:
        (tmp_path / "serving" / "shop" / "100" / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "serving" / "shop" / "100" / file).write_text("older")
    return tmp_path / "serving" / "shop"


@pytest.fixture
def run(tmp_path: Path, served: Path) -> Callable[[str], str]:
    """run(content of the model): the state of the push, as LocalPlatform assembles it."""
    connection = metadata.sqlite_metadata_connection_config(str(tmp_path / "metadata.sqlite"))

    def run(content: str) -> str:
        model = MakeModel(content=content)
        destination = pusher_pb2.PushDestination(
            filesystem=pusher_pb2.PushDestination.Filesystem(base_directory=str(served))
        )
        pusher = Pusher(model.outputs["model"], destination, withdrawn=fingerprint(str(served)))
        local_dag_runner.LocalDagRunner().run(
            pipeline.Pipeline(
                pipeline_name="shop",
                pipeline_root=str(tmp_path / "artifacts"),
                components=[model, pusher],
                enable_cache=True,
                metadata_connection_config=connection,
            )
        )
        pushes = mlmd.MetadataStore(connection).get_executions()
        return str(metadata_store_pb2.Execution.State.Name(max(pushes, key=lambda one: one.id).last_known_state))

    return run


def baseline(folder: Path) -> list[str]:
    """Contents of the model that the next run would be compared with, if all models are blessed."""
    store = mlmd.MetadataStore(metadata.sqlite_metadata_connection_config(str(folder / "metadata.sqlite")))
    models = [deserialize(standard_artifacts.Model, one) for one in store.get_artifacts_by_type("Model")]
    candidate = standard_artifacts.Model()
    candidate.id = 10**6
    blessings = []
    for model in models:
        blessing = standard_artifacts.ModelBlessing()
        blessing.set_int_custom_property("current_model_id", model.id)
        blessing.set_int_custom_property("blessed", 1)
        blessings.append(blessing)
    inputs = {"candidate": [candidate], "baseline_model": models, "model_blessing": blessings}
    found = OlderBlessedModel().resolve_artifacts(store, inputs)["baseline_model"]
    return [Path(model.uri, "Format-Serving", WHOLE[0]).read_text() for model in found]


def deserialize(kind: type[types.Artifact], stored: metadata_store_pb2.Artifact) -> types.Artifact:
    made = kind()
    made.set_mlmd_artifact(stored)
    return made


def test_an_unchanged_run_does_not_push_a_withdrawn_model_again(
    run: Callable[[str], str], served: Path, tmp_path: Path
) -> None:
    assert (run("bad"), run("bad")) == ("COMPLETE", "CACHED")
    [_, version] = version_folders(served)
    assert baseline(tmp_path) == ["bad"]
    assert roll_back(served).newest == 100
    assert baseline(tmp_path) == []
    for _ in range(2):
        with pytest.raises(
            InputError, match=rf"this model is version {version} of shop.*gatewise rollback .*shop --undo"
        ):
            run("bad")
    assert list(version_folders(served)) == [100]
    assert run("better") == "COMPLETE" and run("better") == "CACHED"
    assert len(version_folders(served)) == 2 and baseline(tmp_path) == ["better"]
    assert undo(served).plan.restore == (version,)
    assert run("bad") == "CACHED", "as before the rollback"
    assert len(version_folders(served)) == 3
