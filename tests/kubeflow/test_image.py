"""The image: linted, built as far as a host without Docker can, and what must be true of it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import dockerfile
import image_build
import pytest
import yaml

from pipeline.kubeflow.compile import COMMAND

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = ROOT / "kubeflow" / "Dockerfile"
TOOLS = ROOT / ".runtime" / "tools" / "bin"
TARGETS = ("cpu", "gpu", "test", "last")
COMMANDS = dockerfile.parse_file(str(DOCKERFILE))
FROM = [command.value for command in COMMANDS if command.cmd.upper() == "FROM"]


def pins(lock: str, minor: int = 12) -> dict[str, str]:
    """{package: version} of a lock, for Python 3.`minor`."""
    from packaging.markers import Marker

    found = {}
    text = (ROOT / "requirements" / lock).read_text(encoding="utf-8")
    for name, version, marker in re.findall(r"^([\w.-]+)==(\S+) ; (.+?) \\$", text, re.MULTILINE):
        if Marker(marker).evaluate({"python_full_version": f"3.{minor}.0", "python_version": f"3.{minor}"}):
            found[name] = version
    return found


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Any:
    if not (TOOLS / "uv").exists():
        pytest.skip("the installer that scripts/bootstrap makes is not here: this is no clone, but the image itself")
    return image_build.HostBuild(DOCKERFILE, ROOT, tmp_path_factory.mktemp("image") / "stages", TOOLS, "3.12")


def test_hadolint_has_nothing_to_say() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("hadolint"), DOCKERFILE], capture_output=True, text=True, cwd=ROOT
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_hadolint_finds_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM python:latest\nRUN pip install tfx\n")
    done = subprocess.run(
        [Path(sys.executable).with_name("hadolint"), tmp_path / "Dockerfile"], capture_output=True, text=True
    )
    assert done.returncode == 1 and "DL3007" in done.stdout and "DL3013" in done.stdout


def test_every_step_of_every_stage_can_be_done(built: Any) -> None:
    assert set(TARGETS) <= set(built.stages)
    assert any(line.startswith("apt-get install") for line in built.log)


def test_a_step_that_cannot_be_done_is_found(tmp_path: Path) -> None:
    (tmp_path / ".dockerignore").write_text("*\n!kept\n")
    (tmp_path / "kept").write_text("kept")
    (tmp_path / "held-back").write_text("held back")
    for number, (step, fault) in enumerate(
        {
            "COPY held-back .": "no held-back in the context",
            "RUN test -e /kept && false": "RUN test -e /kept && false",
            "VOLUME /x": "VOLUME is not known here",
        }.items()
    ):
        file = tmp_path / "Dockerfile"
        file.write_text(f"FROM python:3 AS one\nCOPY kept /\n{step}\n")
        with pytest.raises(AssertionError, match=re.escape(fault)):
            image_build.HostBuild(file, tmp_path, tmp_path / f"stages-{number}", TOOLS, "3.12")


def test_gatewise_is_in_the_image_whole(built: Any) -> None:
    def modules(folder: Path) -> set[str]:
        return {
            path.relative_to(folder).as_posix()
            for package in ("models", "components", "pipeline")
            for path in (folder / package).rglob("*.py")
        }

    for target in ("cpu", "gpu", "last"):
        assert modules(image_build.installed(built.stages[target])) == modules(ROOT)


def test_the_command_of_the_steps_is_in_the_image(built: Any) -> None:
    """From the working directory of the image, where the sources are not."""
    for target in ("cpu", "gpu"):
        stage = built.stages[target]
        module = "pipeline.kubeflow.entrypoint"
        assert ("python3", "-m", module) == COMMAND
        environment = {"PYTHONPATH": str(image_build.installed(stage)), "PATH": "/usr/bin:/bin"}
        script = f"import {module} as it; print(it.__file__)"
        for arguments in (["-c", script], ["-m", module, "--help"]):
            done = subprocess.run(
                [sys.executable, *arguments], cwd=stage.path("."), env=environment, capture_output=True, text=True
            )
            assert done.returncode == 0, done.stderr
            assert str(stage.root) in done.stdout or "--executor_class_path" in done.stdout


def test_the_image_runs_as_the_user_that_it_makes(built: Any) -> None:
    useradd = next(line for line in built.log if line.startswith("useradd"))
    groupadd = next(line for line in built.log if line.startswith("groupadd"))
    assert "--uid 10001 --gid 10001" in useradd and "--gid 10001" in groupadd
    assert {built.stages[target].user for target in TARGETS} == {"10001:10001"}
    serving = yaml.safe_load_all((ROOT / "kubeflow" / "serving.yaml").read_text(encoding="utf-8"))
    users = {
        manifest["spec"]["template"]["spec"]["securityContext"]["runAsUser"]
        for manifest in serving
        if manifest["kind"] == "Deployment"
    }
    assert users == {10001}, "pushed versions are written by one and read by the other"


def test_beam_s_runners_can_start_it_as_a_worker(built: Any) -> None:
    (sdk,) = [value[0] for value in FROM if value[0].startswith("apache/beam")]
    assert sdk == f"apache/beam_python3.12_sdk:{pins('kubeflow.lock')['apache-beam']}"
    for target in ("cpu", "gpu", "last"):
        stage = built.stages[target]
        assert stage.entrypoint == ("/opt/apache/beam/boot",) and stage.path("/opt/apache/beam").is_dir()
        assert stage.environment["RUN_PYTHON_SDK_IN_DEFAULT_ENVIRONMENT"] == "1"


def test_the_base_is_one_image_for_ever_and_new_enough() -> None:
    (base,) = [value[0] for value in FROM if value[0].startswith("python:")]
    assert re.fullmatch(r"python:3\.12-slim-trixie@sha256:[0-9a-f]{64}", base)
    assert f'container="{base.partition("@")[0]}"' in (ROOT / "scripts" / "bootstrap").read_text(encoding="utf-8")


def test_the_compiler_stays_behind(built: Any) -> None:
    """apt-get and uv are used in stages from which only folders are copied."""
    parents = {value[2]: value[0] for value in FROM if len(value) == 3}

    def ancestors(name: str) -> set[str]:
        return {name, *(ancestors(parents[name]) if name in parents else ())}

    for target in ("cpu", "gpu"):
        assert not {"tools", "dependencies", "package"} & ancestors(target)
        assert not built.stages[target].path("/usr/local/bin/uv").exists()


@pytest.mark.parametrize("lock", ["kubeflow.lock", "gpu.lock", "dev.lock", "tools.lock"])
def test_every_pin_of_a_lock_has_hashes(lock: str) -> None:
    text = (ROOT / "requirements" / lock).read_text(encoding="utf-8")
    entries = [entry for entry in re.split(r"\n(?=\S)", text.strip()) if entry[0] != "#"]
    assert entries and all("==" in entry and "--hash=sha256:" in entry for entry in entries)


def test_cuda_s_libraries_come_on_top_of_the_same_tensorflow() -> None:
    gpu, base = pins("gpu.lock"), pins("kubeflow.lock")
    new = set(gpu) - set(base)
    assert {"nvidia-cudnn-cu12", "nvidia-cuda-runtime-cu12"} <= new
    assert all(name.startswith("nvidia-") for name in new)
    assert {name: version for name, version in gpu.items() if base.get(name) != version} == {
        name: gpu[name] for name in new
    }


PLANTED = (".env", ".git/config", ".venv/bin/python", "runs/shop/model", "notebook.ipynb", "models/__pycache__/a.pyc")


def test_nothing_goes_to_the_builder_that_is_not_named(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    for name in (*PLANTED, "models/recipe/recipe.py", "requirements/dev.lock", "kubeflow/Dockerfile", "README.md"):
        (tmp_path / "here" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "here" / name).write_text("x")
    (tmp_path / "here" / ".dockerignore").write_bytes((ROOT / ".dockerignore").read_bytes())
    image_build.copy_context(tmp_path / "here", tmp_path / "here" / "kubeflow" / "Dockerfile", tmp_path / "sent")
    sent = {path.relative_to(tmp_path / "sent").as_posix() for path in (tmp_path / "sent").rglob("*") if path.is_file()}
    # Docker itself sends the two files that it reads.
    assert sent - {".dockerignore"} == {
        "models/recipe/recipe.py",
        "requirements/dev.lock",
        "kubeflow/Dockerfile",
        "README.md",
    }
