"""What is to be done so that a recipe has one schedule, the right one, whatever is there: pure, without Kubeflow's SDK.

Kubeflow's API cannot change a recurring run, and gives no name to one of them only. So a changed schedule is a new recurring
run, and the way there is a row of calls that may end anywhere:

1. the new one is made, paused: all that can be wrong with it is found while the old one still runs;
2. the old one is paused, and only then 3. the new one runs: at no moment do two of them;
4. the old one is deleted.

`plan` looks at what there is and not at what was done before, so that the same command goes on from any of these.
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
    """The schedule as it is declared.

    Attributes:
        recipe: name of the recipe.
        name: of the pipeline, which is also the recurring run's.
        version: of the pipeline: the digits that name its content.
        cron: six fields.
        parameters: of its runs.
        pipeline_root: where the artifacts of its runs go.
        experiment: name of the experiment that holds its runs.
        service_account: of its pods; None: Kubeflow's own.
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
        """12 hexadecimal digits that name all of it: what the server gives back may be written otherwise, or completed."""
        text = json.dumps(dataclasses.asdict(self), sort_keys=True)
        return hashlib.sha256(text.encode("utf-8")).hexdigest()[:12]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Mark:
    """What a recurring run of ours says of itself, in its description.

    Attributes:
        recipe: name of the recipe.
        number: the newer of two has the higher.
        version: of the pipeline.
        digest: of the wish that it was made from.
        runs: whether it was to run once the one before it was gone; it may have been paused or resumed since.
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
    """The mark in a description; None: not one of ours."""
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
    """A recurring run of ours on the server.

    Attributes:
        id: the server's.
        name: of the pipeline.
        mark: from its description.
        enabled: whether it runs.
        pipeline_id, version_id: of the pipeline's version that it runs.
        experiment_id: of the experiment.
        cron: as the server has it.
        parameters: of its runs.
        pipeline_root: where the artifacts of its runs go.
        service_account: of its pods.
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
    """Make the recurring run that is wished for."""

    number: int
    enabled: bool
    runs: bool


@dataclasses.dataclass(frozen=True)
class Enable:
    """Let it run; None: the one that was just made."""

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
    """The one that was made last."""
    return max(found, key=lambda one: (one.mark.number, one.id))


def is_to_run(found: Sequence[Found]) -> bool:
    """Whether the schedule runs, as far as its users are concerned.

    Where none of several runs, a change ended between pausing the old one and letting the new one run: what the new one
    was made for holds. Where the only one does not run, somebody paused it.
    """
    if not found or any(one.enabled for one in found):
        return True
    return len(found) > 1 and newest(found).mark.runs


def plan(found: Sequence[Found], digest: str, version_id: str | None, runs: bool | None = None) -> list[Step]:
    """The calls that lead from what is there to the one schedule that is wished for, in an order that bears interruptions.

    Args:
        found: the recurring runs of the recipe, in any order.
        digest: of the wish.
        version_id: the server's id of the pipeline's version; None: not uploaded yet.
        runs: whether it is to run; None: as it does (`is_to_run`), a paused one stays paused.

    Returns:
        None where all is as wished.
    """
    right = [one for one in found if one.mark.digest == digest and one.version_id == version_id]
    if runs is None:
        runs = is_to_run(found)
        if any(one.enabled for one in found):
            # One that was made paused would read as paused again (`is_to_run`) if the way ended before it is enabled.
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
