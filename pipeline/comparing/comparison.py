"""A comparison from end to end: the data stages once, every method by the same protocol, the result and its page.

ROOT/RECIPE/compare/trials/KEY/     each training, once (`trial.py`); several comparisons share them
ROOT/RECIPE/compare/methods/KEY.*   what a method left, and the log of its process
ROOT/RECIPE/compare/ID/             compare.json and compare.html; ID is a hash of what was asked for, data and code included
"""

from __future__ import annotations

import dataclasses
import json
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from models.recipe.errors import InputError
from pipeline.code_version import code_version
from pipeline.comparing.candidate import Matched
from pipeline.comparing.eval_split import read_eval_split
from pipeline.comparing.methods import TWINS, Method
from pipeline.comparing.page import page
from pipeline.comparing.protocol import Protocol
from pipeline.comparing.result import About, fingerprint, result
from pipeline.comparing.selection import Source, selected
from pipeline.comparing.workers import Job, run_jobs
from pipeline.console import RunConsole
from pipeline.dag import create_data_pipeline
from pipeline.lineage import Run
from pipeline.local_runner import run_pipeline
from pipeline.method_modules import method_modules
from pipeline.output import write_output
from pipeline.run_lock import alone
from pipeline.run_paths import RunPaths
from pipeline.run_record import data_of

METHODS = "methods"
CODE = ("pipeline.comparing.protocol",)
MEMORY_PER_JOB = 3 * 2**30
"""What a process needs at least, in bytes: two thirds of it is TensorFlow with a compiled step."""

Say = Callable[[str], None]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Asked:
    """What a comparison is asked for.

    Attributes:
        source: the recipe.
        methods: name -> method, in the order of the table.
        trials: trials of each method.
        seeds: number of seeds of the frozen candidates, from the recipe's on; 0 for a search alone.
        matched: what is the same for all networks.
        jobs: processes at a time; None for as many as the machine has cores and memory for.
    """

    source: Source
    methods: Mapping[str, Method]
    trials: int
    seeds: int
    matched: Matched
    jobs: int | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Left:
    """What the methods of a comparison left.

    Attributes:
        protocol: what they shared.
        methods: name -> content of its file, of those that did not fail.
        failed: name -> message.
        code: version of the code of all methods.
        id: hash of what was asked for.
    """

    protocol: Protocol
    methods: Mapping[str, Mapping[str, Any]]
    failed: Mapping[str, str]
    code: str
    id: str


def prepared(source: Source, where: RunPaths, console: RunConsole) -> Run:
    """Runs the stages before the training, which all methods share."""
    recipe = source.recipe()
    run = run_pipeline(recipe, where, console, run=console.run, assemble=create_data_pipeline)
    console.started("Trainings")
    return run


def run_methods(asked: Asked, where: RunPaths, data: Run, say: Say) -> Left:
    """Trains what no earlier comparison has trained.

    Args:
        asked: what is asked for.
        where: folders of the recipe.
        data: the run of the data stages.
        say: receives a line about each finished training.

    Raises:
        InputError: another comparison of this recipe is in progress.
    """
    recipe = asked.source.recipe()
    folder = where.home / "compare"
    first = recipe.training.seed
    protocol = Protocol(
        source=asked.source,
        transformed=str(data.artifacts["Features.transformed_examples"]),
        graph=str(data.artifacts["Features.transform_graph"]),
        folder=str(folder),
        trials=asked.trials,
        seed=first,
        seeds=tuple((first + number) % 2**32 for number in range(asked.seeds)),
        matched=asked.matched,
    )
    jobs, versions = [], {}
    for name, method in asked.methods.items():
        own = selected(asked.source, method, {})
        versions[name] = code_version(*CODE, *method_modules(own))
        spec = {"protocol": dataclasses.asdict(protocol), "method": dataclasses.asdict(method)}
        # Where a file lies is no part of what it says.
        content = {
            **spec["protocol"],
            "source": None,
            "folder": None,
            "recipe": own.model_dump(mode="json", by_alias=True),
        }
        key = fingerprint([content, versions[name]])
        jobs.append(Job(name, spec, folder / METHODS / f"{key}.json"))
    count = asked.jobs or min(len(jobs), _fitting())
    (folder / METHODS).mkdir(parents=True, exist_ok=True)
    busy = f"{folder}: another comparison is in progress here. Wait until it ends, or choose another --root."
    with alone(folder, busy):
        waiting = sum(not job.result.is_file() for job in jobs)
        say(
            f"{waiting} of {len(jobs)} methods to train: {asked.trials} trials and {asked.seeds} seeds each, {count} at a time"
        )
        failed = run_jobs(jobs, count, _Progress(waiting * (asked.trials + asked.seeds), say))
    return Left(
        protocol=protocol,
        methods={
            job.name: json.loads(job.result.read_text(encoding="utf-8")) for job in jobs if job.name not in failed
        },
        failed=failed,
        code=fingerprint(versions),
        id=fingerprint([[job.result.name for job in jobs], list(asked.methods)]),
    )


def compared(asked: Asked, left: Left, where: RunPaths, data: Run, command: str) -> tuple[dict[str, Any], Path]:
    """Measures what the methods left, and writes `compare.json` and `compare.html`.

    Args:
        asked, left: the comparison.
        where: folders of the recipe.
        data: the run of the data stages.
        command: the command line that repeats it.

    Returns:
        The content of `compare.json`, and the folder of both files.

    Raises:
        InputError: the twins could not be trained, with which all other methods are compared.
    """
    recipe = asked.source.recipe()
    if TWINS not in left.methods:
        raise InputError(
            f"compare: {TWINS} could not be trained, with which all methods are compared: {left.failed.get(TWINS)}"
        )
    made = data.artifacts
    split = read_eval_split(recipe, made["EventLogs.examples"], made["Features.transformed_examples"])
    about = About(
        file=asked.source.file,
        command=command,
        code=left.code,
        data=data_of(data.fingerprint),
        match=asked.matched,
        trials=asked.trials,
        seeds=left.protocol.seeds,
        examples=(data.read_json("EventLogs.examples", "summary.json") or {}).get("examples", {}),
        test_reads={"here": len(left.methods), "all": frozen_candidates(where)},
    )
    content = result(recipe, about, asked.methods, left.methods, split, left.failed)
    if content["chosen"] is None:
        raise InputError(
            "compare: no method has a validation score, which chooses the best one. The validate split has no observed label: see "
            "the recipe's `split`."
        )
    folder = where.home / "compare" / left.id
    write_output(folder / "compare.json", json.dumps(content, indent=1) + "\n")
    write_output(folder / "compare.html", page(content))
    return content, folder


def frozen_candidates(where: RunPaths) -> int:
    """How many frozen candidates of the comparisons in a folder have read the eval split."""
    found = (
        json.loads(path.read_text(encoding="utf-8"))
        for path in (where.home / "compare" / METHODS).glob("*.json")
        if _is_result(path)
    )
    return len({json.dumps(one["folders"]) for one in found if one["folders"]})


def _is_result(path: Path) -> bool:
    return not path.name.endswith(".spec.json")


class _Progress:
    """Says what has been trained, and how long the rest takes at this pace."""

    def __init__(self, total: int, say: Say) -> None:
        self._total, self._say = total, say
        self._done = self._trained = 0
        self._started = time.monotonic()

    def __call__(self, name: str, facts: Mapping[str, Any]) -> None:
        self._done += 1
        self._trained += bool(facts["now"])
        if facts["error"]:
            what = f"failed: {facts['error']}"
        else:
            what = "no validation score" if facts["score"] is None else f"validation score {facts['score']:.4f}"
        took = f"{facts['seconds']:.1f} s" if facts["now"] else "trained before"
        self._say(f"[{self._done}/{self._total}] {name}, {facts['what']}: {what}; {took}{self._left()}")

    def _left(self) -> str:
        left = self._total - self._done
        if not left or not self._trained:
            return ""
        minutes = left * (time.monotonic() - self._started) / self._trained / 60.0
        return f"; about {minutes:.0f} min left" if minutes >= 1.0 else "; less than a minute left"


def _fitting() -> int:
    """Number of processes for which the machine has cores and memory; 1 with a GPU, whose memory they would share."""
    if any(Path("/dev").glob("nvidia[0-9]*")):
        return 1
    free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return max(1, min(len(os.sched_getaffinity(0)), free // MEMORY_PER_JOB))
