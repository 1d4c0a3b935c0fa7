"""The manifest of claims, their owner and the shell: Kubernetes' schemas, and that a volume which cannot be written is found."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_models
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
MANIFESTS = list(yaml.safe_load_all((ROOT / "kubeflow" / "home.yaml").read_text(encoding="utf-8")))
BY_NAME = {(manifest["kind"], manifest["metadata"]["name"]): manifest for manifest in MANIFESTS}
JOB = BY_NAME["Job", "gatewise-home"]["spec"]["template"]["spec"]
SHELL = BY_NAME["Deployment", "gatewise-shell"]["spec"]["template"]["spec"]


@pytest.mark.parametrize("manifest", MANIFESTS, ids=["/".join(key) for key in BY_NAME])
def test_the_schemas_of_kubernetes(manifest: dict[str, Any]) -> None:
    assert kubernetes_models.faults(manifest) == []


def test_the_kinds() -> None:
    assert sorted(BY_NAME) == [
        ("Deployment", "gatewise-shell"),
        ("Job", "gatewise-home"),
        ("NetworkPolicy", "gatewise-home"),
        ("PersistentVolumeClaim", "gatewise-home"),
        ("PersistentVolumeClaim", "gatewise-logs"),
        ("ServiceAccount", "gatewise-home"),
    ]


def test_steps_on_several_nodes_may_write() -> None:
    for name in ("gatewise-home", "gatewise-logs"):
        assert BY_NAME["PersistentVolumeClaim", name]["spec"]["accessModes"] == ["ReadWriteMany"]


def test_only_the_owner_is_root_and_may_only_give_away() -> None:
    (owner,), (trial,), (shell,) = JOB["initContainers"], JOB["containers"], SHELL["containers"]
    assert owner["securityContext"]["runAsUser"] == 0
    assert owner["securityContext"]["capabilities"] == {"drop": ["ALL"], "add": ["CHOWN", "FOWNER", "FSETID"]}
    assert trial["securityContext"]["runAsNonRoot"] and trial["securityContext"]["runAsUser"] == 10001
    assert SHELL["securityContext"]["runAsNonRoot"] and SHELL["securityContext"]["runAsUser"] == 10001
    for container in (owner, trial, shell):
        own = container["securityContext"]
        assert own["readOnlyRootFilesystem"] and not own["allowPrivilegeEscalation"]
        assert own["capabilities"]["drop"] == ["ALL"]
        assert all(container["resources"][kind][what] for kind in ("requests", "limits") for what in ("cpu", "memory"))
    assert owner["args"] == ["chown 10001:10001 /gatewise /logs && chmod 2775 /gatewise /logs"], (
        "not all files below: that takes hours on a full volume, and the job may be run again"
    )


@pytest.fixture
def volumes() -> Iterator[Path]:
    """Folders that everybody can reach: those of pytest are their user's alone."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        for name in ("gatewise", "logs"):
            Path(folder, name).mkdir()
            Path(folder, name).chmod(0o777)
        yield Path(folder)


def trial(folder: Path) -> subprocess.CompletedProcess[str]:
    """The trial's own command, with folders of this machine, as a user who is not root."""
    (container,) = JOB["containers"]
    script = container["args"][0].replace("/gatewise", str(folder / "gatewise")).replace("/logs", str(folder / "logs"))
    user: dict[str, Any] = {"user": 10001, "group": 10001, "extra_groups": []} if os.getuid() == 0 else {}
    return subprocess.run([*container["command"], script], capture_output=True, text=True, **user)


def test_the_trial_makes_the_folder_that_the_servers_mount(volumes: Path) -> None:
    for _ in range(2):
        done = trial(volumes)
        assert (done.returncode, done.stderr) == (0, "")
    assert [path.name for path in volumes.rglob("*") if path.parent != volumes] == ["serving"], "and leaves nothing"


@pytest.mark.parametrize("name", ["gatewise", "logs"])
def test_the_trial_fails_on_a_volume_that_is_another_s(name: str, volumes: Path) -> None:
    (volumes / name).chmod(0o555)
    done = trial(volumes)
    (volumes / name).chmod(0o777)
    assert done.returncode != 0 and "Permission denied" in done.stderr
