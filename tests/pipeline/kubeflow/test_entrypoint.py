"""The command of a step: what it writes, in which order, and how it ends."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from tfx.dsl.components.base import base_beam_executor, base_executor
from tfx.orchestration.kubeflow.v2 import compiler_utils
from tfx.types import standard_artifacts

from models.recipe.errors import InputError, NoVerdictError
from pipeline.kubeflow import artifacts, entrypoint
from pipeline.kubeflow.entrypoint import elsewhere

SCHEMA = compiler_utils.get_artifact_schema(standard_artifacts.Schema).decode()
CURATED = "components.validation.curated_schema.Executor"


class Refuses(base_executor.BaseExecutor):
    """Ends as a stage whose input a person must mend."""

    def Do(self, input_dict: Any, output_dict: Any, exec_properties: Any) -> None:
        raise InputError("stream 'click': no file matches clicks/*.")


class SaysWhere(base_beam_executor.BaseBeamExecutor):
    """A stage on Beam that keeps what it was given."""

    uris: ClassVar[list[str]] = []

    def Do(self, input_dict: Any, output_dict: Any, exec_properties: Any) -> None:
        self.uris.append(output_dict["schema"][0].uri)


class Crashes(base_executor.BaseExecutor):
    """Ends as a stage with a defect."""

    def Do(self, input_dict: Any, output_dict: Any, exec_properties: Any) -> None:
        raise KeyError("a defect")


class Undecided(base_executor.BaseExecutor):
    """Ends as a probe whose process was killed."""

    def Do(self, input_dict: Any, output_dict: Any, exec_properties: Any) -> None:
        raise NoVerdictError("Probe: the process that runs the model was killed by SIGKILL.")


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    for name in ("models", "components", "pipeline"):
        logging.getLogger(name).setLevel(logging.NOTSET)


@pytest.fixture
def termination_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "termination-log").touch()
    monkeypatch.setattr(entrypoint, "TERMINATION_LOG", tmp_path / "termination-log")
    return tmp_path / "termination-log"


def step(executor: str, tmp_path: Path, **parameters: Any) -> list[str]:
    output = {"name": "1", "uri": "s3://b/schema", "type": {"instanceSchema": SCHEMA}}
    invocation = {
        "inputs": {"parameterValues": parameters},
        "outputs": {
            "artifacts": {"schema": {"artifacts": [output]}},
            "outputFile": str(tmp_path / "kfp_outputs" / "output_metadata.json"),
        },
    }
    definitions = {"parameters": {name: {"parameterType": "STRING"} for name in parameters}}
    arguments = ["--stage", "CuratedSchema", "--executor_class_path", executor]
    arguments += ["--json_serialized_invocation_args", json.dumps(invocation)]
    return [*arguments, "--json_serialized_inputs_spec_args", json.dumps(definitions), "--runner=FnApiRunner"]


def test_a_step_fills_its_outputs_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(entrypoint.MOUNT_ROOT, str(tmp_path))
    assert entrypoint.main(step(CURATED, tmp_path, content="feature {}")) == 0
    assert (tmp_path / "s3" / "b" / "schema" / "schema.pbtxt").read_text() == "feature {}"
    written = json.loads((tmp_path / "kfp_outputs" / "output_metadata.json").read_text())
    assert written["artifacts"]["schema"]["artifacts"][0]["uri"] == "s3://b/schema"
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["message"] for line in lines] == ["CuratedSchema begins.", "CuratedSchema is done."]
    assert lines[-1]["stage"] == "CuratedSchema" and lines[-1]["rows"] == {} and lines[-1]["seconds"] >= 0


def test_what_a_person_must_mend_ends_with_1_and_one_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], termination_log: Path
) -> None:
    monkeypatch.setenv(entrypoint.MOUNT_ROOT, str(tmp_path))
    assert entrypoint.main(step(f"{__name__}.Refuses", tmp_path)) == 1
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert last["message"] == "stream 'click': no file matches clicks/*."
    assert last["level"] == "ERROR" and "traceback" not in last and last["exit_code"] == 1
    assert termination_log.read_text() == "CuratedSchema: stream 'click': no file matches clicks/*."
    assert not (tmp_path / "kfp_outputs").exists()


def test_a_defect_ends_with_3_and_its_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], termination_log: Path
) -> None:
    monkeypatch.setenv(entrypoint.MOUNT_ROOT, str(tmp_path))
    assert entrypoint.main(step(f"{__name__}.Crashes", tmp_path)) == 3
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert "KeyError: 'a defect'" in lines[-2]["traceback"] and lines[-1]["message"].startswith("crashed: KeyError")
    assert not (tmp_path / "kfp_outputs").exists()


def test_no_verdict_on_a_model_ends_with_3_and_one_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], termination_log: Path
) -> None:
    """And without an output, of which Kubeflow would make a result that is taken again."""
    monkeypatch.setenv(entrypoint.MOUNT_ROOT, str(tmp_path))
    assert entrypoint.main(step(f"{__name__}.Undecided", tmp_path)) == 3
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert "traceback" not in last and last["exit_code"] == 3
    assert termination_log.read_text() == "CuratedSchema: Probe: the process that runs the model was killed by SIGKILL."
    assert not (tmp_path / "kfp_outputs").exists()


def test_the_output_file_is_written_last_and_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(entrypoint.MOUNT_ROOT, str(tmp_path))
    seen: list[bool] = []

    def write_whole(path: str, text: str) -> None:
        seen.append((tmp_path / "s3" / "b" / "schema" / "schema.pbtxt").is_file())
        json.loads(text)

    monkeypatch.setattr(entrypoint, "write_whole", write_whole)
    assert entrypoint.main(step(CURATED, tmp_path, content="feature {}")) == 0
    assert seen == [True]


def test_beam_s_runner_says_whether_a_stage_gets_folders_or_urls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(entrypoint.MOUNT_ROOT, str(tmp_path))
    monkeypatch.setattr(artifacts, "remove_folder", lambda url: None)
    SaysWhere.uris.clear()
    executor = f"{__name__}.SaysWhere"
    for flags in ([], ["--runner=DaskRunner"]):
        assert entrypoint.main([*step(executor, tmp_path), *flags]) == 0
    assert SaysWhere.uris == [str(tmp_path / "s3" / "b" / "schema"), "s3://b/schema"]
    # Stages that are not on Beam have the launcher's copies whatever the runner.
    assert entrypoint.main([*step(CURATED, tmp_path, content="feature {}"), "--runner=DaskRunner"]) == 0
    assert (tmp_path / "s3" / "b" / "schema" / "schema.pbtxt").is_file()


@pytest.mark.parametrize(
    "flags",
    [
        [],
        ["--runner=FnApiRunner", "--sdk_container_image=x"],
        ["--runner", "directrunner"],
        ["--runner=apache_beam.runners.portability.fn_api_runner.FnApiRunner"],
        ["--runner=DaskRunner", "--runner=direct"],
        ["--direct_num_workers=2", "--runner=PrismRunner"],
    ],
)
def test_in_the_pod(flags: list[str]) -> None:
    assert not elsewhere(flags)


@pytest.mark.parametrize(
    "flags",
    [
        ["--runner=DaskRunner", "--dask_client_address=tcp://scheduler:8786"],
        ["--sdk_container_image=x", "--runner", "FlinkRunner"],
        ["--runner=FnApiRunner", "--runner=PortableRunner"],
        ["--runner=apache_beam.runners.dask.dask_runner.DaskRunner"],
        ["--runner=dataflow"],
    ],
)
def test_in_other_pods(flags: list[str]) -> None:
    assert elsewhere(flags)
