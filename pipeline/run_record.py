"""The record of a run: one JSON file beside its log, written at the start of the run and again at its end.

ML Metadata remains the source. The record adds what the store does not have (the resolved recipe, the overrides, the state of a run
that failed) and repeats the results, so that `gatewise runs` lists runs without opening the store.
"""

from __future__ import annotations

import contextlib
import datetime
import fcntl
import hashlib
import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.recipe.errors import masked
from models.recipe.recipe import Recipe
from pipeline.output import write_output
from pipeline.run_paths import RunPaths

if TYPE_CHECKING:
    from pipeline.lineage import Run

FORMAT = 1
RUNNING, FINISHED, FAILED, INTERRUPTED = "running", "finished", "failed", "interrupted"
EVALUATION, MODEL, HISTORY = "Evaluator.evaluation", "Trainer.model", "Trainer.model_run"


class RunRecord:
    """The record of a run in progress. Attributes: `file`, the record's file; `values`, its content.

    Values (those from "code" on are there once the run has ended):
        {"format", "id", "recipe": name, "file": recipe file, "started": ISO 8601, "state", "error": message or None,
        "seconds": of the whole run, "push": whether a blessed model is pushed, "overrides": ["key=value"], "data_option",
        "seed", "resolved": the recipe with overrides and defaults,
        "code": {"gatewise": version, "stages": {stage: version of its code}},
        "data": {"files", "bytes", "fingerprint"}, "metrics", "intervals", "retrieval", "eval_reads", "blessed",
        "failed_gates", "pushed", "serving", "retrieval_serving",
        "cost": {"seconds": {stage: seconds}, "cached": [stage], "parameters": {"embeddings", "network"} or None},
        "evaluation", "predictions", "model", "training": folders or None}
    """

    def __init__(self, file: Path, values: dict[str, Any]) -> None:
        self.file, self.values = file, values

    def write(self, **values: Any) -> None:
        """Adds values and writes the file.

        Raises:
            InputError: the file cannot be written.
        """
        self.values.update(_without_secrets(values))
        write_output(self.file, json.dumps(self.values, indent=1, ensure_ascii=False) + "\n")


@contextlib.contextmanager
def recorded(
    run: str,
    where: RunPaths,
    recipe: Recipe,
    *,
    file: Path,
    overrides: Sequence[str] = (),
    data: str | None = None,
    push: bool = True,
) -> Iterator[RunRecord]:
    """Context of a run: its record says "running", then "finished", "failed" or "interrupted".

    The record of a killed run stays "running", but no process holds the lock of its log.

    Args:
        run: id of the run, the name of its log without `.log`.
        where: folders of the run; `logs` exists.
        recipe: the resolved recipe.
        file, overrides, data, push: the options of the command.
    """
    begun, started = datetime.datetime.now(datetime.UTC), time.monotonic()
    record = RunRecord(where.logs / f"{run}.json", {})
    # Held until the process ends: by it, readers tell a run in progress from a killed one.
    with open(where.logs / f"{run}.log", "a", encoding="utf-8") as log:
        fcntl.flock(log, fcntl.LOCK_EX)
        record.write(
            format=FORMAT,
            id=run,
            recipe=recipe.name,
            file=str(file),
            started=begun.isoformat(timespec="milliseconds"),
            state=RUNNING,
            error=None,
            seconds=None,
            push=push,
            overrides=list(overrides),
            data_option=data,
            seed=recipe.training.seed,
            resolved=resolved(recipe),
        )
        try:
            yield record
        except BaseException as error:
            state = INTERRUPTED if isinstance(error, KeyboardInterrupt) else FAILED
            seconds = round(time.monotonic() - started, 3)
            with contextlib.suppress(Exception):  # the error of the run is the one to tell
                record.write(state=state, error=str(error) or type(error).__name__, seconds=seconds)
                record.write(**_what_is_left(run, where))
            raise
        record.write(state=FINISHED, seconds=round(time.monotonic() - started, 3))


def resolved(recipe: Recipe) -> dict[str, Any]:
    """The recipe with overrides and defaults, as a record has it."""
    values: dict[str, Any] = _without_secrets(recipe.model_dump(mode="json", by_alias=True))
    return values


def results(run: Run, summary: dict[str, Any]) -> dict[str, Any]:
    """What a run has made, for its record.

    Args:
        run: the run in ML Metadata.
        summary: its summary.
    """
    from importlib.metadata import version

    evaluation = run.artifacts.get(EVALUATION)
    history = run.read_json(HISTORY, "history.json") or {}
    copied = ("metrics", "intervals", "retrieval", "eval_reads", "blessed", "failed_gates", "newer_day")
    return {
        "code": {"gatewise": version("gatewise"), "stages": dict(run.code)},
        "data": data_of(run.fingerprint),
        **{name: summary[name] for name in (*copied, "pushed", "serving", "retrieval_serving")},
        "cost": {
            "seconds": {stage["name"]: stage["seconds"] for stage in summary["stages"] if not stage["cached"]},
            "cached": [stage["name"] for stage in summary["stages"] if stage["cached"]],
            "parameters": history.get("parameters"),
        },
        "evaluation": None if evaluation is None else str(evaluation),
        "predictions": None if evaluation is None else str(evaluation / "predictions"),
        "model": str(run.artifacts[MODEL]) if MODEL in run.artifacts else None,
        "training": str(run.artifacts[HISTORY]) if HISTORY in run.artifacts else None,
    }


def data_of(fingerprint: str) -> dict[str, Any]:
    """Number of log files, their bytes, and 16 hexadecimal digits of the hash of names and contents.

    Args:
        fingerprint: JSON {file: [bytes, digest]} (`components.event_logs.fingerprint`); "" if the logs were not read.
    """
    if not fingerprint:
        return {"files": None, "bytes": None, "fingerprint": None}
    files = json.loads(fingerprint)
    digest = hashlib.sha256(fingerprint.encode()).hexdigest()[:16]
    return {"files": len(files), "bytes": sum(size for size, _ in files.values()), "fingerprint": digest}


def _what_is_left(run: str, where: RunPaths) -> dict[str, Any]:
    """The results of the finished stages of a run that has failed."""
    from pipeline.lineage import read_run
    from pipeline.summary import summarise

    made = read_run(where, run)
    return results(made, summarise(made))


def _without_secrets(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_secrets(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_without_secrets(inner) for inner in value]
    return masked(value) if isinstance(value, str) else value
