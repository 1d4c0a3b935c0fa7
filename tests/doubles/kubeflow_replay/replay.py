"""Runs a compiled file: driver, launcher and retries for each task, in the order that the tasks depend on each other."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import json
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import forked
from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2

from kubeflow_replay import api_server
from kubeflow_replay.metadata import after_round_trip
from kubeflow_replay.store import Store


@dataclasses.dataclass
class Attempt:
    """One pod: exit code, log, its disk, and the seconds it ran."""

    code: int
    log: str
    disk: Path
    seconds: float

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The log's JSON lines."""
        return [json.loads(line) for line in self.log.splitlines() if line.startswith("{")]


@dataclasses.dataclass
class Task:
    """A finished task: its attempts, and its outputs as the next tasks are given them."""

    attempts: list[Attempt]
    outputs: dict[str, dict[str, Any]]

    @property
    def succeeded(self) -> bool:
        """Whether the last attempt did."""
        return bool(self.attempts) and self.attempts[-1].code == 0


class Replay:
    """Runs of one file.

    Args:
        file: as compiled.
        store: behind the pipeline root.
        root: the pipeline root, `s3://...`.
        folder: for the disks of the pods.
        project: working directory of the pods, which stands for the image.
        anew: tasks whose pods run the container's command in a new interpreter; those of the others begin as forks, with
            everything imported.
    """

    def __init__(
        self, file: Path, store: Store, root: str, folder: Path, project: Path, anew: Collection[str] = ()
    ) -> None:
        self.spec, self.platform = api_server.upload(file)
        self._store, self._root, self._folder, self._project = store, root, folder, project
        self._anew = anew
        self._scheduled: str | None = None

    def run(
        self,
        parameters: dict[str, Any] | None = None,
        only: set[str] | None = None,
        kill: dict[str, Callable[[], bool]] | None = None,
        cached: dict[str, Task] | None = None,
        scheduled: str | None = None,
    ) -> dict[str, Task]:
        """Starts a run and waits for its end; what depends on a failed task is not run.

        Args:
            parameters: of the run.
            only: names of the tasks to run; all, by default.
            kill: task -> whether it is time to kill its first pod, asked again and again.
            cached: tasks of an earlier run, which are not run again.
            scheduled: the moment for which the run is scheduled; None: the driver is too old to tell it.
        """
        values = api_server.start(self.spec, parameters or {})
        self._scheduled = scheduled
        tasks = self.spec["root"]["dag"]["tasks"]
        waiting = {name: _upstream(task) for name, task in tasks.items() if only is None or name in only}
        waiting = {name: needs for name, needs in waiting.items() if name not in (cached or {})}
        name, done = str(uuid.uuid4()), dict(cached or {})
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            running: dict[concurrent.futures.Future, str] = {}
            while waiting or running:
                for task in [task for task, needs in waiting.items() if needs <= set(done)]:
                    del waiting[task]
                    if all(done[need].succeeded for need in _upstream(tasks[task])):
                        future = pool.submit(self._task, name, task, values, done, (kill or {}).get(task))
                        running[future] = task
                    else:
                        done[task] = Task([], {})
                for future in concurrent.futures.wait(
                    running, timeout=None if running else 0, return_when="FIRST_COMPLETED"
                ).done:
                    done[running.pop(future)] = future.result()
        return done

    def _task(
        self, run: str, name: str, values: dict[str, Any], done: dict[str, Task], kill: Callable[[], bool] | None
    ) -> Task:
        task = self.spec["root"]["dag"]["tasks"][name]
        component = self.spec["components"][task["componentRef"]["name"]]
        container = self.spec["deploymentSpec"]["executors"][component["executorLabel"]]["container"]
        base = f"{self._root}/{self.spec['pipelineInfo']['name']}/{run}/{name}/{uuid.uuid4()}"
        attempts = []
        for attempt in range(1 + task.get("retryPolicy", {}).get("maxRetryCount", 0)):
            # Every attempt sees the same paths, and an empty disk.
            disk = self._folder / run / name
            given = self._executor_input(task, component, values, done, base, disk)
            start = _interpreter if name in self._anew else forked.start
            pod, outputs = self._pod(container, given, disk, start, kill if attempt == 0 else None)
            pod.disk = disk.rename(disk.with_name(f"{name}-{attempt}"))
            attempts.append(pod)
            if pod.code == 0:
                return Task(attempts, outputs)
        return Task(attempts, {})

    def _executor_input(
        self,
        task: dict[str, Any],
        component: dict[str, Any],
        values: dict[str, Any],
        done: dict[str, Task],
        base: str,
        disk: Path,
    ) -> dict[str, Any]:
        """The driver: parameters and artifacts resolved. Input artifacts come without their type, output ones with it."""
        parameters = {}
        for key, source in task.get("inputs", {}).get("parameters", {}).items():
            if "componentInputParameter" in source:
                parameters[key] = values[source["componentInputParameter"]]
            else:
                parameters[key] = source["runtimeValue"]["constant"]
                if parameters[key] == "{{$.pipeline_job_schedule_time_utc}}" and self._scheduled:
                    parameters[key] = self._scheduled
        artifacts = {
            key: {"artifacts": [done[source["producerTask"]].outputs[source["outputArtifactKey"]]]}
            for key, entry in task.get("inputs", {}).get("artifacts", {}).items()
            for source in [entry["taskOutputArtifact"]]
        }
        outputs = {
            key: {"artifacts": [{"type": definition["artifactType"], "uri": f"{base}/{key}"}]}
            for key, definition in component.get("outputDefinitions", {}).get("artifacts", {}).items()
        }
        return {
            "inputs": {"parameterValues": parameters, "artifacts": artifacts},
            "outputs": {"artifacts": outputs, "outputFile": str(disk / "tmp" / "kfp_outputs" / "output_metadata.json")},
        }

    def _pod(
        self,
        container: dict[str, Any],
        given: dict[str, Any],
        disk: Path,
        start: Callable[..., forked.Fork | subprocess.Popen],
        kill: Callable[[], bool] | None,
    ) -> tuple[Attempt, dict[str, dict[str, Any]]]:
        """The launcher: inputs down, the command, outputs up if it succeeded."""
        disk.mkdir(parents=True)
        for entry in given["inputs"]["artifacts"].values():
            for artifact in entry["artifacts"]:
                self._store.download(artifact["uri"], _path(artifact["uri"], disk))
        for entry in given["outputs"]["artifacts"].values():
            _path(entry["artifacts"][0]["uri"], disk).parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(given)
        command = [part.replace("{{$}}", text) for part in container["command"] + container["args"]]
        environment = {
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
            "HOME": str(disk),
            "TMPDIR": str(disk),
            "GATEWISE_MOUNT_ROOT": str(disk),
            **{entry["name"]: entry["value"] for entry in container.get("env", [])},
        }
        begin = time.monotonic()
        log = disk / "log"
        process, ended = start(command, self._project, log, log, environment), threading.Event()
        if kill is not None:
            threading.Thread(target=_kill_when, args=(process.pid, ended, kill), daemon=True).start()
        code = process.wait()
        ended.set()
        attempt = Attempt(code, log.read_text(encoding="utf-8"), disk, time.monotonic() - begin)
        return attempt, (self._publish(given, disk) if code == 0 else {})

    def _publish(self, given: dict[str, Any], disk: Path) -> dict[str, dict[str, Any]]:
        """Uploads what lies at each output's URI, and keeps what the step said of it."""
        written = json.loads(Path(given["outputs"]["outputFile"]).read_text(encoding="utf-8"))
        json_format.ParseDict(written, pipeline_spec_pb2.ExecutorOutput())
        outputs = {}
        for key, entry in given["outputs"]["artifacts"].items():
            said = written.get("artifacts", {}).get(key, {}).get("artifacts", [{}])[0]
            uri = said.get("uri", entry["artifacts"][0]["uri"])
            if uri.startswith("s3://"):
                self._store.upload(_path(uri, disk), uri)
            outputs[key] = {
                "name": f"{uuid.uuid4()}",
                "type": {"instanceSchema": ""},
                "uri": uri,
                "metadata": after_round_trip(said.get("metadata", {}), key),
            }
        return outputs


def _upstream(task: dict[str, Any]) -> set[str]:
    producers = {
        entry["taskOutputArtifact"]["producerTask"] for entry in task.get("inputs", {}).get("artifacts", {}).values()
    }
    return producers | set(task.get("dependentTasks", []))


def _path(uri: str, disk: Path) -> Path:
    return disk / "s3" / uri.removeprefix("s3://")


def _interpreter(
    command: list[str], cwd: Path, stdout: Path, stderr: Path, environment: dict[str, str]
) -> subprocess.Popen:
    with open(stdout, "a", encoding="utf-8") as out, open(stderr, "a", encoding="utf-8") as err:
        return subprocess.Popen(command, cwd=cwd, env=environment, stdout=out, stderr=err, start_new_session=True)


def _kill_when(group: int, ended: threading.Event, time_to: Callable[[], bool]) -> None:
    """As a node that goes away: the whole pod at once, with no chance to clean up."""
    while not ended.wait(0.02):
        if time_to():
            os.killpg(group, signal.SIGKILL)
            return
