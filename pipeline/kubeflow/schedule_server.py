"""The calls of the Kubeflow Pipelines API that a schedule needs, through `kfp.Client`."""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import kfp_server_api

from models.recipe.errors import InputError
from pipeline.kubeflow.api_connection import Connection
from pipeline.kubeflow.api_errors import explained
from pipeline.kubeflow.spec.schedule_plan import Found, Mark, Parameters, Wish, mark_of

PAGE = 100
IN_PROGRESS = ("PENDING", "RUNNING", "CANCELING", "PAUSED")


class ScheduleServer:
    """A Kubeflow Pipelines server.

    Args:
        connection: address and credentials.

    Raises:
        InputError: see `Connection.client`. Each method raises it if the server refuses the request.
    """

    def __init__(self, connection: Connection) -> None:
        self.host = connection.host
        self._namespace = connection.namespace
        self._client = connection.client()

    @contextlib.contextmanager
    def _call(self, doing: str) -> Iterator[None]:
        """Context of the client's calls: suppresses the links that the client prints, and converts its errors."""
        with explained(self.host, doing), contextlib.redirect_stdout(io.StringIO()):
            yield

    def _all(self, doing: str, listing: Callable[..., Any], items: str, **arguments: Any) -> Iterator[Any]:
        """Yields the items of a listing from all its pages."""
        token = ""
        while True:
            with self._call(doing):
                page = listing(page_token=token, page_size=PAGE, **arguments)
            yield from getattr(page, items) or ()
            token = page.next_page_token or ""
            if not token:
                return

    def _named(self, doing: str, listing: Callable[..., Any], items: str, name: str, **arguments: Any) -> Any | None:
        """The item with this name in a listing, or None. Compared again here, because some databases ignore case."""
        found = self._all(doing, listing, items, filter=_named(name), **arguments)
        return next((one for one in found if one.display_name == name), None)

    def pipeline_id(self, name: str) -> str | None:
        """The pipeline's id; None if it does not exist."""
        found = self._named(
            "getting the pipeline", self._client.list_pipelines, "pipelines", name, namespace=self._namespace
        )
        return None if found is None else found.pipeline_id

    def create_pipeline(self, name: str, recipe: str) -> str:
        """Creates a pipeline without a version and returns its id. (An upload would name the first version like the pipeline.)"""
        pipeline = kfp_server_api.V2beta1Pipeline(
            display_name=name, name=name, namespace=self._namespace, description=f"gatewise, recipe {recipe}"
        )
        with self._call("creating the pipeline"):
            made = self._client.pipelines.pipeline_service_create_pipeline(pipeline=pipeline)
        return self._id(made.pipeline_id, "the pipeline")

    def version_id(self, pipeline_id: str, version: str) -> str | None:
        """The version's id; None if it does not exist."""
        found = self._named(
            "getting the version",
            self._client.list_pipeline_versions,
            "pipeline_versions",
            version,
            pipeline_id=pipeline_id,
        )
        return None if found is None else found.pipeline_version_id

    def upload(self, pipeline_id: str, version: str, text: str) -> str:
        """Uploads a compiled file as a version and returns its id."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "pipeline.yaml"
            file.write_text(text, encoding="utf-8")
            with self._call("uploading the version"):
                made = self._client.upload_pipeline_version(str(file), version, pipeline_id=pipeline_id)
        return self._id(made.pipeline_version_id, "the version")

    def experiment_id(self, name: str) -> str | None:
        """The experiment's id; None if it does not exist.

        Raises:
            InputError: the experiment is archived, so it accepts no runs.
        """
        found = self._named(
            "getting the experiment",
            self._client.list_experiments,
            "experiments",
            name,
            namespace=self._namespace,
        )
        if found is not None and found.storage_state == "ARCHIVED":
            raise InputError(
                f"{self.host}: experiment {name!r} is archived, so it accepts no runs. Restore it in Kubeflow's pages, or set "
                "kubeflow.schedule.experiment to another."
            )
        return None if found is None else found.experiment_id

    def create_experiment(self, name: str) -> str:
        """Creates an experiment and returns its id."""
        with self._call("creating the experiment"):
            made = self._client.create_experiment(name, namespace=self._namespace)
        return self._id(made.experiment_id, "the experiment")

    def schedules(self, name: str | None = None) -> list[Found]:
        """The recurring runs of gatewise, all or those with one pipeline name.

        Raises:
            InputError: gatewise did not create a recurring run with this name.
        """
        arguments = {"namespace": self._namespace, **({} if name is None else {"filter": _named(name)})}
        found = []
        for run in self._all("listing the schedules", self._client.list_recurring_runs, "recurring_runs", **arguments):
            mark = mark_of(run.description)
            if mark is not None and name in (None, run.display_name):
                found.append(_found(run, mark))
            elif mark is None and name is not None and run.display_name == name:
                raise InputError(
                    f"{self.host}: the recurring run {name!r} ({run.recurring_run_id}) was not created by gatewise and would run "
                    "in addition. Delete it in Kubeflow's pages, or recreate it there under another name."
                )
        return found

    def create_schedule(
        self, wish: Wish, mark: Mark, enabled: bool, pipeline_id: str, version_id: str, experiment_id: str
    ) -> str:
        """Creates a recurring run with one run at a time and without catch-up, and returns its id."""
        with self._call("creating the schedule"):
            made = self._client.create_recurring_run(
                experiment_id=experiment_id,
                job_name=wish.name,
                description=mark.text(),
                cron_expression=wish.cron,
                max_concurrency=1,
                no_catchup=True,
                params=dict(wish.parameters),
                pipeline_id=pipeline_id,
                version_id=version_id,
                enabled=enabled,
                pipeline_root=wish.pipeline_root,
                service_account=wish.service_account,
            )
        return self._id(made.recurring_run_id, "the schedule")

    def enable(self, id: str) -> None:
        """Enables a recurring run."""
        with self._call("resuming the schedule"):
            self._client.enable_recurring_run(id)

    def disable(self, id: str) -> None:
        """Pauses a recurring run."""
        with self._call("pausing the schedule"):
            self._client.disable_recurring_run(id)

    def delete(self, id: str) -> None:
        """Deletes a recurring run if it exists. Its run in progress continues (servers before 2.16 end it)."""
        with self._call("deleting the schedule"):
            try:
                # kfp.Client.delete_recurring_run lacks the policy. Without it, Kubernetes ends the run.
                self._client.recurring_runs.recurring_run_service_delete_recurring_run(id, propagation_policy="ORPHAN")
            except kfp_server_api.ApiException as error:
                if error.status != 404:
                    raise

    def runs_in_progress(self, experiment_ids: set[str], of: Callable[[Any], bool]) -> list[str]:
        """Ids of the runs in progress that satisfy `of`, among the newest hundred of each experiment."""
        found = []
        for experiment_id in sorted(experiment_ids):
            with self._call("listing the runs in progress"):
                page = self._client.list_runs(
                    page_size=PAGE, sort_by="created_at desc", experiment_id=experiment_id, namespace=self._namespace
                )
            found += [run.run_id for run in page.runs or () if run.state in IN_PROGRESS and of(run)]
        return found

    def run_state(self, id: str) -> str:
        """The state of a run, such as SUCCEEDED; one of `IN_PROGRESS` until it ends."""
        with self._call("getting the run"):
            return str(self._client.get_run(id).state or IN_PROGRESS[0])

    def start(self, schedule: Found, name: str, parameters: Parameters) -> str:
        """Starts a run of the schedule and returns its id."""
        with self._call("starting the run"):
            made = self._client.run_pipeline(
                experiment_id=schedule.experiment_id,
                job_name=name,
                params={**schedule.parameters, **parameters},
                pipeline_id=schedule.pipeline_id,
                version_id=schedule.version_id,
                pipeline_root=schedule.pipeline_root,
                service_account=schedule.service_account,
            )
        return self._id(made.run_id, "the run")

    def _id(self, id: str | None, what: str) -> str:
        if not id:
            raise InputError(
                f"{self.host}: expected the id of {what} that was created, received none. Run the command again."
            )
        return id


def _named(name: str) -> str:
    """The API's filter for one name."""
    return json.dumps({"predicates": [{"operation": "EQUALS", "key": "display_name", "stringValue": name}]})


def _found(run: Any, mark: Mark) -> Found:
    version, runtime = run.pipeline_version_reference, run.runtime_config
    cron = run.trigger.cron_schedule if run.trigger else None
    return Found(
        id=run.recurring_run_id,
        name=run.display_name,
        mark=mark,
        enabled=run.status == "ENABLED",
        pipeline_id=version.pipeline_id if version else None,
        version_id=version.pipeline_version_id if version else None,
        experiment_id=run.experiment_id,
        cron=cron.cron if cron else "",
        parameters=dict((runtime.parameters if runtime else None) or {}),
        pipeline_root=runtime.pipeline_root if runtime else None,
        service_account=run.service_account or None,
    )
