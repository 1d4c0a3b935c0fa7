"""The stock Pusher with another way to write the version."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from tfx import types
from tfx.proto import pusher_pb2
from tfx.types import standard_artifacts
from tfx.utils import proto_utils

from components.push.component import Pusher
from components.push.executor import Executor
from components.push.lock import LOCK
from components.push.rollback import roll_back
from components.push.withdrawn import note_file, withdrawn_folder
from models.files.version_folders import WARM_UP, WHOLE, version_folders
from models.recipe.errors import InputError


@pytest.fixture
def model(tmp_path: Path) -> types.Artifact:
    folder = tmp_path / "model" / "7" / "Format-Serving"
    (folder / "assets.extra").mkdir(parents=True)
    for file in WHOLE:
        (folder / file).parent.mkdir(exist_ok=True)
        (folder / file).write_bytes(b"graph")
    (folder / "assets.extra" / "inputs.json").write_text(json.dumps({"exported_at": 1600000000}))
    artifact = standard_artifacts.Model()
    artifact.uri = str(folder.parent)
    artifact.mlmd_artifact.create_time_since_epoch = 1700000000999
    return artifact


def blessing(kind: type[types.Artifact], blessed: int) -> types.Artifact:
    artifact = kind()
    artifact.set_int_custom_property("blessed", blessed)
    return artifact


def push(
    model: types.Artifact,
    base: str,
    model_blessed: int = 1,
    infra_blessed: int = 1,
    infra: types.Artifact | None = None,
    **properties: float,
) -> types.Artifact:
    pushed = standard_artifacts.PushedModel()
    pushed.uri = str(Path(model.uri).parents[1] / "pushed_model")
    destination = pusher_pb2.PushDestination(filesystem=pusher_pb2.PushDestination.Filesystem(base_directory=base))
    Executor().Do(
        {
            "model": [model],
            "model_blessing": [blessing(standard_artifacts.ModelBlessing, model_blessed)],
            "infra_blessing": [infra or blessing(standard_artifacts.InfraBlessing, infra_blessed)],
        },
        {"pushed_model": [pushed]},
        {"push_destination": proto_utils.proto_to_json(destination), "custom_config": "null", **properties},
    )
    return pushed


def test_the_version_is_the_second_at_which_the_model_was_made(model: types.Artifact, tmp_path: Path) -> None:
    for _ in range(2):
        pushed = push(model, str(tmp_path / "serving"))
        assert pushed.get_int_custom_property("pushed") == 1
        assert pushed.get_string_custom_property("pushed_version") == "1700000000"
        assert pushed.get_string_custom_property("pushed_destination") == str(tmp_path / "serving" / "1700000000")
        assert (Path(pushed.uri) / "saved_model.pb").read_bytes() == b"graph"
    assert {path.name for path in (tmp_path / "serving").iterdir()} == {"1700000000", LOCK}


def test_another_model_of_the_same_second_gets_the_next_number(
    model: types.Artifact, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    push(model, str(tmp_path / "serving"))
    Path(model.uri, "Format-Serving", "saved_model.pb").write_bytes(b"of another recipe")
    for _ in range(2):
        assert push(model, str(tmp_path / "serving")).get_string_custom_property("pushed_version") == "1700000001"
    assert "version 1700000000 in" in caplog.text and "This model becomes version 1700000001" in caplog.text
    assert (tmp_path / "serving" / "1700000000" / "saved_model.pb").read_bytes() == b"graph"
    assert (tmp_path / "serving" / "1700000001" / "saved_model.pb").read_bytes() == b"of another recipe"


def test_the_requests_of_the_probe_warm_the_version_up(model: types.Artifact, tmp_path: Path) -> None:
    probed = blessing(standard_artifacts.InfraBlessing, 1)
    probed.uri = str(tmp_path)
    (tmp_path / WARM_UP).write_bytes(b"real rows")
    pushed = push(model, str(tmp_path / "serving"), infra=probed)
    for folder in (tmp_path / "serving" / "1700000000", Path(pushed.uri)):
        assert (folder / "assets.extra" / "tf_serving_warmup_requests").read_bytes() == b"real rows"


def test_without_metadata_the_model_itself_says_when_it_was_made(model: types.Artifact, tmp_path: Path) -> None:
    model.mlmd_artifact.create_time_since_epoch = 0
    assert push(model, str(tmp_path / "serving")).get_string_custom_property("pushed_version") == "1600000000"


@pytest.mark.parametrize(("model_blessed", "infra_blessed"), [(0, 1), (1, 0), (0, 0)])
def test_what_is_not_blessed_is_not_pushed(
    model: types.Artifact, tmp_path: Path, model_blessed: int, infra_blessed: int
) -> None:
    pushed = push(model, str(tmp_path / "serving"), model_blessed, infra_blessed)
    assert pushed.get_int_custom_property("pushed") == 0
    assert not (tmp_path / "serving").exists()


@pytest.mark.parametrize("base", ["gs://bucket/serving", ""])
def test_a_destination_that_cannot_rename_is_refused(model: types.Artifact, base: str) -> None:
    with pytest.raises(InputError, match="expected a folder of a file system"):
        push(model, base)


def test_the_component_runs_this_executor() -> None:
    component = Pusher(
        model=types.Channel(type=standard_artifacts.Model),
        model_blessing=types.Channel(type=standard_artifacts.ModelBlessing),
        infra_blessing=types.Channel(type=standard_artifacts.InfraBlessing),
        push_destination=pusher_pb2.PushDestination(
            filesystem=pusher_pb2.PushDestination.Filesystem(base_directory="serving")
        ),
    )
    assert component.executor_spec.executor_class is Executor


def test_only_a_run_that_is_not_to_push_has_the_property_push() -> None:
    """So a push of an earlier run, without the property, stays in the cache."""

    def properties(**options: bool) -> dict[str, Any]:
        model = types.Channel(type=standard_artifacts.Model)
        return Pusher(model=model, push_destination=pusher_pb2.PushDestination(), **options).exec_properties

    assert properties() == properties(push=True) and "push" not in {k for k, v in properties().items() if v is not None}
    assert properties(push=False) == properties() | {"push": 0}


def test_the_withdrawn_versions_are_a_property_so_that_a_rollback_runs_the_push_again() -> None:
    def properties(**options: Any) -> dict[str, Any]:
        model = types.Channel(type=standard_artifacts.Model)
        return Pusher(model=model, push_destination=pusher_pb2.PushDestination(), **options).exec_properties

    assert properties(withdrawn="") == properties() and properties()["withdrawn"] is None
    assert properties(withdrawn="shop: 300") == properties() | {"withdrawn": "shop: 300"}


def test_a_withdrawn_model_is_refused_until_the_rollback_is_undone(model: types.Artifact, tmp_path: Path) -> None:
    served = tmp_path / "serving" / "shop"
    for file in WHOLE:
        (served / "1600000000" / file).parent.mkdir(parents=True, exist_ok=True)
        (served / "1600000000" / file).write_bytes(b"older")
    push(model, str(served))
    roll_back(served, reason="clicks fell")
    with pytest.raises(
        InputError, match=r"this model is version 1700000000 of shop, .*clicks fell.*rollback .*/shop --undo"
    ):
        push(model, str(served))
    shutil.rmtree(withdrawn_folder(served) / "1700000000")
    with pytest.raises(InputError, match="this model is version 1700000000 of shop"):
        push(model, str(served))
    assert sorted(version_folders(served)) == [1600000000]
    note_file(served, 1700000000).unlink()
    assert push(model, str(served)).get_int_custom_property("pushed") == 1


def test_a_push_that_is_switched_off_keeps_everything_as_it_is(model: types.Artifact, tmp_path: Path) -> None:
    model.id = 7
    pushed = push(model, str(tmp_path / "serving"), push=False)
    assert pushed.get_int_custom_property("push_disabled") == 1 and pushed.get_int_custom_property("model_id") == 7
    assert pushed.get_int_custom_property("pushed") == 0 and not (tmp_path / "serving").exists()
    pushed = push(model, str(tmp_path / "serving"), push=True)
    assert pushed.get_int_custom_property("pushed") == 1 and not pushed.has_custom_property("push_disabled")


@pytest.mark.parametrize(
    ("keep", "left"),
    [
        (2, ["3", "1700000000"]),
        (2.0, ["3", "1700000000"]),  # as Kubeflow hands numbers over
        (3, ["2", "3", "1700000000"]),
        (None, None),
    ],
)
def test_a_push_removes_what_is_older_than_the_recipe_keeps(
    model: types.Artifact, tmp_path: Path, keep: float | None, left: list[str] | None
) -> None:
    for version in ("1", "2", "3"):
        for file in WHOLE:
            (tmp_path / "serving" / version / file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "serving" / version / file).write_bytes(b"older")
    properties = {} if keep is None else {"keep_versions": keep}
    assert push(model, str(tmp_path / "serving"), infra_blessed=0, **properties).get_int_custom_property("pushed") == 0
    assert len(list((tmp_path / "serving").iterdir())) == 3, "what pushes nothing removes nothing"
    push(model, str(tmp_path / "serving"), **properties)
    found = sorted((path.name for path in (tmp_path / "serving").iterdir() if path.name != LOCK), key=int)
    assert found == (left or ["1", "2", "3", "1700000000"])


def test_a_push_does_not_remove_what_it_has_pushed(model: types.Artifact, tmp_path: Path) -> None:
    """Beside versions with larger numbers, such as of milliseconds."""
    for version in ("1700000000000", "1700000001000"):
        for file in WHOLE:
            (tmp_path / "serving" / version / file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "serving" / version / file).write_bytes(b"another's")
    pushed = push(model, str(tmp_path / "serving"), keep_versions=2)
    assert Path(pushed.get_string_custom_property("pushed_destination")).name == "1700000000"
    assert (tmp_path / "serving" / "1700000000" / "saved_model.pb").is_file()
