"""What the API server knows: pipelines and their versions, experiments, recurring runs, runs."""

from __future__ import annotations

import copy
import dataclasses
import functools
import itertools
import tempfile
import uuid
from pathlib import Path
from typing import Any

from kubeflow_replay import api_server

from kubeflow_api import cron

Row = dict[str, Any]
DAY = "2026-01-15"


class ApiError(Exception):
    """An answer of the gateway: gRPC's code, HTTP's status, and the message."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


def invalid(message: str) -> ApiError:
    return ApiError(400, 3, f"Invalid input error: {message}")


def missing(kind: str, id: str | None) -> ApiError:
    return ApiError(404, 5, f"ResourceNotFoundError: {kind} {id} not found")


@functools.cache
def _spec(content: bytes) -> Row:
    """The pipeline spec of a file, checked."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "pipeline.yaml"
        file.write_bytes(content)
        return api_server.upload(file)[0]


@dataclasses.dataclass
class Store:
    """The tables, by id, in the order of their making.

    Attributes:
        failing: days of which the runs fail.
        most_enabled: the most recurring runs of one name that were enabled at the same moment.
    """

    multi_user: bool = False
    pipelines: dict[str, Row] = dataclasses.field(default_factory=dict)
    versions: dict[str, Row] = dataclasses.field(default_factory=dict)
    experiments: dict[str, Row] = dataclasses.field(default_factory=dict)
    recurring_runs: dict[str, Row] = dataclasses.field(default_factory=dict)
    runs: dict[str, Row] = dataclasses.field(default_factory=dict)
    specs: dict[str, Row] = dataclasses.field(default_factory=dict)
    most_enabled: int = 0
    failing: tuple[str, ...] = ()
    _clock: Any = dataclasses.field(default_factory=itertools.count)

    def now(self) -> str:
        """Whole seconds, as the database keeps them; ten calls fall into one."""
        second = next(self._clock) // 10
        return f"{DAY}T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}Z"

    def create_pipeline(self, body: Row) -> Row:
        name = body.get("name") or body.get("display_name")
        if not name:
            raise invalid("pipeline's name cannot be empty")
        if len(name) > 128:
            raise invalid("Pipeline.Name length cannot exceed 128")
        namespace = body.get("namespace", "")
        if any(row["name"] == name and row.get("namespace", "") == namespace for row in self.pipelines.values()):
            raise ApiError(409, 6, f"Already exist error: The name {name} already exist. Please specify a new name.")
        row = {"pipeline_id": str(uuid.uuid4()), "name": name, "display_name": body.get("display_name") or name}
        row |= {"description": body.get("description", ""), "created_at": self.now(), "namespace": namespace}
        self.pipelines[row["pipeline_id"]] = row
        return row

    def upload_version(self, pipeline_id: str | None, name: str, content: bytes) -> Row:
        if pipeline_id not in self.pipelines:
            raise ApiError(400, 3, "Failed to create a pipeline version")
        if len(name) > 127:
            raise invalid("PipelineVersion.Name length cannot exceed 127")
        try:
            spec = _spec(content)
        except api_server.Refused as error:
            raise ApiError(400, 3, str(error)) from None
        if any(row["name"] == name and row["pipeline_id"] == pipeline_id for row in self.versions.values()):
            raise ApiError(409, 6, "Failed to create a pipeline version")
        row = {"pipeline_id": pipeline_id, "pipeline_version_id": str(uuid.uuid4()), "name": name, "display_name": name}
        row |= {"created_at": self.now()}
        self.versions[row["pipeline_version_id"]] = row
        self.specs[row["pipeline_version_id"]] = copy.deepcopy(spec)
        return row

    def create_experiment(self, body: Row) -> Row:
        name, namespace = body.get("display_name"), body.get("namespace", "")
        if not name:
            raise invalid("Experiment name is empty. Please specify a valid experiment name.")
        if self.multi_user and not namespace:
            raise invalid("Namespace cannot be empty")
        if any(row["display_name"] == name and row["namespace"] == namespace for row in self.experiments.values()):
            raise ApiError(409, 6, f"Already exist error: The name {name} already exists. Please specify a new name.")
        row = {"experiment_id": str(uuid.uuid4()), "display_name": name, "namespace": namespace}
        row |= {"created_at": self.now(), "storage_state": "AVAILABLE"}
        self.experiments[row["experiment_id"]] = row
        return row

    def create_recurring_run(self, body: Row) -> Row:
        """Names are not unique, and the mode that is not given is disabled."""
        if not body.get("display_name"):
            raise invalid("Recurring run's name cannot be empty")
        if not 1 <= int(body.get("max_concurrency", 0)) <= 10:
            raise invalid("Max concurrency of a recurring run must be at least 1 and at most 10.")
        try:
            cron.parse(body["trigger"]["cron_schedule"]["cron"])
        except ValueError as error:
            raise invalid(
                f"Schedule cron is not a supported format(https://godoc.org/github.com/robfig/cron). Error: {error}"
            ) from None
        row = {"recurring_run_id": str(uuid.uuid4()), **self._checked(body)}
        row |= {key: body[key] for key in ("description", "trigger", "no_catchup") if key in body}
        row |= {"max_concurrency": str(body["max_concurrency"]), "updated_at": row["created_at"]}
        self.recurring_runs[row["recurring_run_id"]] = row
        self.set_mode(row["recurring_run_id"], body.get("mode") == "ENABLE")
        return row

    def set_mode(self, id: str, enabled: bool) -> None:
        row = self._recurring_run(id)
        row |= {"mode": "ENABLE", "status": "ENABLED"} if enabled else {"mode": "DISABLE", "status": "DISABLED"}
        self.most_enabled = max(self.most_enabled, len(self.enabled(row["display_name"])))

    def delete_recurring_run(self, id: str, policy: str | None) -> None:
        self._recurring_run(id)
        del self.recurring_runs[id]
        for run in self.runs.values():
            if run.get("recurring_run_id") == id and run["state"] == "RUNNING" and policy != "ORPHAN":
                run["state"] = "FAILED"

    def create_run(self, body: Row) -> Row:
        row = {"run_id": str(uuid.uuid4()), **self._checked(body), "state": "PENDING"}
        self.runs[row["run_id"]] = row
        return row

    def see_run(self, id: str) -> Row:
        """A run, which goes on a step each time that one looks: PENDING, RUNNING, and its end."""
        if id not in self.runs:
            raise missing("Run", id)
        run, given = self.runs[id], self.runs[id]["runtime_config"].get("parameters") or {}
        seen = dict(run)
        ends = "FAILED" if given.get("day") in self.failing else "SUCCEEDED"
        run["state"] = {"PENDING": "RUNNING", "RUNNING": ends}.get(run["state"], run["state"])
        return seen

    def tick(self, name: str) -> Row:
        """What the controller does when the time of an enabled recurring run has come: its run begins."""
        (recurring_run,) = self.enabled(name)
        kept = ("experiment_id", "pipeline_version_reference", "runtime_config", "recurring_run_id")
        row = {"run_id": str(uuid.uuid4()), "display_name": f"{name}-1", "state": "RUNNING", "created_at": self.now()}
        row |= {key: recurring_run[key] for key in kept}
        self.runs[row["run_id"]] = row
        return row

    def named(self, name: str) -> list[Row]:
        """The recurring runs of that name."""
        return [row for row in self.recurring_runs.values() if row["display_name"] == name]

    def enabled(self, name: str) -> list[Row]:
        """Those of them that are enabled."""
        return [row for row in self.named(name) if row["status"] == "ENABLED"]

    def _recurring_run(self, id: str) -> Row:
        if id not in self.recurring_runs:
            raise missing("Job", id)
        return self.recurring_runs[id]

    def _checked(self, body: Row) -> Row:
        """What recurring runs and runs have in common: an experiment, a version, parameters that the version knows."""
        experiment, version = body.get("experiment_id"), body.get("pipeline_version_reference") or {}
        if experiment not in self.experiments:
            raise missing("Experiment", experiment)
        if version.get("pipeline_version_id") not in self.versions:
            raise missing("PipelineVersion", version.get("pipeline_version_id"))
        runtime = body.get("runtime_config") or {}
        try:
            api_server.start(self.specs[version["pipeline_version_id"]], runtime.get("parameters") or {})
        except api_server.Refused as error:
            raise invalid(f"invalid pipeline job inputs: {error}") from None
        row = {"display_name": body["display_name"], "experiment_id": experiment, "created_at": self.now()}
        row |= {"pipeline_version_reference": version, "runtime_config": runtime}
        # The account that the pods will have, the server's own where none is named.
        return row | {
            "service_account": body.get("service_account") or "pipeline-runner",
            "namespace": self.experiments[experiment]["namespace"],
        }
