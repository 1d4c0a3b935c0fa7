"""Plans the calls that lead from the recurring runs on the server to the declared schedule. Pure, without Kubeflow's SDK.

Kubeflow's API cannot change a recurring run, and names are not unique. A changed schedule is therefore a new recurring run. The
change takes several calls and may be interrupted after any of them:

1. create the new one paused: its errors appear while the old one still runs;
2. pause the old one; 3. only then enable the new one, so that two never run at once;
4. delete the old one.

`plan` depends only on the current state, so the same command completes an interrupted change.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Mapping, Sequence

Parameters = Mapping[str, str | int | bool]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Wish:
    """The declared schedule.

    Attributes:
        recipe: name of the recipe.
        name: name of the pipeline and of the recurring run.
        version: version of the pipeline: the hash of its content.
        cron: cron expression with six fields.
        parameters: parameters of its runs.
        pipeline_root: folder or URL for the artifacts of its runs.
        experiment: name of the experiment of its runs.
        service_account: service account of its pods; None: Kubeflow's default.
    """

    recipe: str
    name: str
    version: str
    cron: str
    parameters: Parameters
    pipeline_root: str
    experiment: str
    service_account: str | None

    @property
    def digest(self) -> str:
        """Hash of all fields, 12 hexadecimal digits. The server's values are not compared, because it may reformat them."""
        text = json.dumps(dataclasses.asdict(self), sort_keys=True)
        return hashlib.sha256(text.encode("utf-8")).hexdigest()[:12]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Mark:
    """The metadata that gatewise stores in the description of a recurring run.

    Attributes:
        recipe: name of the recipe.
        number: increases with each recurring run.
        version: version of the pipeline.
        digest: digest of the declared schedule.
        runs: whether it was created to run after its predecessor; it may have been paused or resumed since.
    """

    recipe: str
    number: int
    version: str
    digest: str
    runs: bool

    def text(self) -> str:
        """The description."""
        state = "to run" if self.runs else "paused"
        return (
            f"gatewise schedule {self.number} of recipe {self.recipe}: version {self.version}, as declared {self.digest}, "
            f"made {state}. To change it, change the recipe and run gatewise schedule create."
        )


_MARK = re.compile(
    r"gatewise schedule (?P<number>\d+) of recipe (?P<recipe>\w+): version (?P<version>[0-9a-f]+), "
    r"as declared (?P<digest>[0-9a-f]+), made (?P<state>to run|paused)\b"
)


def mark_of(description: str | None) -> Mark | None:
    """Parses the mark from a description. None: gatewise did not create the run."""
    match = _MARK.match(description or "")
    if match is None:
        return None
    return Mark(
        recipe=match["recipe"],
        number=int(match["number"]),
        version=match["version"],
        digest=match["digest"],
        runs=match["state"] == "to run",
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Found:
    """A recurring run of gatewise on the server.

    Attributes:
        id: the server's id.
        name: name of the pipeline.
        mark: mark in its description.
        enabled: whether it is enabled.
        pipeline_id, version_id: ids of the pipeline and its version.
        experiment_id: id of the experiment.
        cron: cron expression on the server.
        parameters: parameters of its runs.
        pipeline_root: folder or URL for the artifacts of its runs.
        service_account: service account of its pods.
    """

    id: str
    name: str
    mark: Mark
    enabled: bool
    pipeline_id: str | None
    version_id: str | None
    experiment_id: str
    cron: str
    parameters: Parameters
    pipeline_root: str | None
    service_account: str | None


@dataclasses.dataclass(frozen=True)
class Create:
    """Create the declared recurring run."""

    number: int
    enabled: bool
    runs: bool


@dataclasses.dataclass(frozen=True)
class Enable:
    """Enable it. None: the one that was just created."""

    id: str | None


@dataclasses.dataclass(frozen=True)
class Disable:
    """Pause it."""

    id: str


@dataclasses.dataclass(frozen=True)
class Delete:
    """Delete it. Its runs stay."""

    id: str


Step = Create | Enable | Disable | Delete


def newest(found: Sequence[Found]) -> Found:
    """The newest recurring run."""
    return max(found, key=lambda one: (one.mark.number, one.id))


def is_to_run(found: Sequence[Found]) -> bool:
    """Whether the schedule counts as enabled.

    If none of several recurring runs is enabled, a change was interrupted after step 2, and the mark of the newest one
    decides. If the only one is not enabled, a user paused it.
    """
    if not found or any(one.enabled for one in found):
        return True
    return len(found) > 1 and newest(found).mark.runs


def plan(found: Sequence[Found], digest: str, version_id: str | None, runs: bool | None = None) -> list[Step]:
    """The calls that lead to the declared schedule, in an order that tolerates interruptions.

    Args:
        found: the recurring runs of the recipe, in any order.
        digest: digest of the declared schedule.
        version_id: the server's id of the pipeline's version; None: not uploaded yet.
        runs: whether the schedule is to be enabled. None keeps its state (`is_to_run`).

    Returns:
        The calls; none if the server has the declared schedule already.
    """
    right = [one for one in found if one.mark.digest == digest and one.version_id == version_id]
    if runs is None:
        runs = is_to_run(found)
        if any(one.enabled for one in found):
            # Skip runs created paused: if the change is interrupted before one is enabled, `is_to_run` would return False.
            right = [one for one in right if one.enabled or one.mark.runs]
    kept = max(right, key=lambda one: (one.enabled, one.mark.number, one.id), default=None)
    others = sorted((one for one in found if one is not kept), key=lambda one: (one.mark.number, one.id))
    steps: list[Step] = []
    if kept is None:
        number = newest(found).mark.number + 1 if found else 1
        steps.append(Create(number, enabled=runs and not found, runs=runs))
    steps += [Disable(one.id) for one in found if one.enabled and (one is not kept or not runs)]
    if runs and kept is None and found:
        steps.append(Enable(None))
    if runs and kept is not None and not kept.enabled:
        steps.append(Enable(kept.id))
    return steps + [Delete(one.id) for one in others]
