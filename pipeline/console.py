"""Console output of a run: one line per stage, the stages' messages, and the summary tables."""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import time
import traceback
import warnings
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from components.event_logs.tally import losses_in
from models.recipe.errors import GatewiseError, InputError, masked
from models.recipe.recipe import Recipe
from pipeline import simple_models
from pipeline.eval_reads import in_words
from pipeline.native_stderr import native_stderr_to
from pipeline.retrieval_comparison import against_the_best
from pipeline.run_paths import RunPaths
from pipeline.run_records import seconds_of_stages
from pipeline.screen import chosen

NO_PUSH = (
    "blessed; nothing was pushed (--no-push). To push this model, run the same command without --no-push: all other stages come "
    "from the cache."
)

RECALLS = {
    "true_recall": "true_recall@k: share of the truly best k items that are in the list",
    "recall": "recall@k: share of what the user chose; the user could choose only what was shown",
    "weighted_recall": "weighted_recall@k: recall in which a chosen item counts 1 / its share of the impressions",
}
"""Name of a recall -> what it asks, in the order of the table."""


class RunConsole:
    """Shows progress on standard error, and redirects the libraries' standard error to the run's log file.

    Use it as a context manager. If the run crashes, it prints the log's path. The run's id begins with `prefix`.
    """

    def __init__(self, recipe: Recipe, logs: Path, prefix: str = "") -> None:
        try:
            logs.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"{logs}: cannot create the folder ({error.strerror}). Choose another --root.") from None
        self._recipe = recipe
        self._log = logs / f"{prefix}{datetime.datetime.now(datetime.UTC):%Y%m%d-%H%M%S}-{os.getpid()}.log"
        self._started = time.monotonic()
        self._stage_started = self._started
        self._seen = chosen()
        self._last = seconds_of_stages(logs)
        self._open = contextlib.ExitStack()

    @property
    def run(self) -> str:
        """Id of the run: UTC time of its start and process, the name of its log."""
        return self._log.stem

    def __enter__(self) -> RunConsole:
        self._file = self._open.enter_context(open(self._log, "a", encoding="utf-8"))
        verbose = self._seen.amount == "verbose"
        screen = self._open.enter_context(native_stderr_to(2 if verbose else self._file.fileno()))
        self._screen = Console(file=screen, highlight=False, soft_wrap=True)
        if not verbose:
            warnings.simplefilter("ignore")
        head = f"[bold]{self._recipe.name}[/]: data in {escape(self._recipe.data)}; log in {escape(str(self._log))}"
        if self._tell("begins", head, run=self.run, data=self._recipe.data, log=str(self._log)):
            self._screen.print("loading TFX (about 10 s) ...", style="dim")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None and not isinstance(error, SystemExit):
            with contextlib.suppress(OSError):  # of a full disk
                self._file.write(masked("".join(traceback.format_exception(error))))
            if not isinstance(error, GatewiseError | KeyboardInterrupt):
                self._screen.print(f"full log: {self._log}", markup=False)
        self._open.close()

    def started(self, stage: str) -> None:
        """See `Progress`."""
        self._stage_started = time.monotonic()
        last = self._last.get(stage)
        about = "" if last is None else f" [dim](last time {last:.0f} s)[/]"
        self._tell("stage begins", f"[bold]{stage}[/]{about}", stage=stage, last_seconds=last)

    def finished(self, stage: str) -> None:
        """See `Progress`."""
        seconds = time.monotonic() - self._stage_started
        self._tell("stage done", f"  [dim]{stage} done in {seconds:.1f} s[/]", stage=stage, seconds=round(seconds, 1))

    def said(self, message: str) -> None:
        """See `Progress`."""
        self._tell("message", "\n".join(f"  {escape(line)}" for line in message.splitlines()), message=message)

    def _tell(self, event: str, text: str, **facts: object) -> bool:
        """Prints an event as text, as JSON, or not at all. Returns whether it was printed as text."""
        if self._seen.format == "json":
            moment = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
            line = json.dumps({"time": moment, "event": event, **facts}, ensure_ascii=False)
            self._screen.file.write(f"{line}\n")
            self._screen.file.flush()
        elif self._seen.amount != "quiet":
            self._screen.print(text)
            return True
        return False

    def show(self, summary: dict[str, Any], where: RunPaths) -> None:
        """Prints the summary tables on standard output; as JSON, the summary in one line."""
        if self._seen.format == "json":
            print(json.dumps(summary))
            return
        out = Console(highlight=False, width=max(100, Console().width))
        if self._seen.amount == "quiet":
            self._verdict(out, summary)
            return
        out.print(_stage_table(summary))
        if summary["accounts"]:
            out.print(_accounts_table(summary))
        for message in summary["warnings"]:
            out.print(f"warning: {message}", markup=False)
        out.print(_metrics_table(summary))
        if summary.get("eval_reads"):
            out.print(in_words(summary["eval_reads"]), markup=False, soft_wrap=True)
        if summary["retrieval"]:
            out.print(_retrieval_table(summary["retrieval"]))
            for line in _recalls_explained(summary["retrieval"]):
                out.print(line, markup=False)
        self._verdict(out, summary)
        seconds = time.monotonic() - self._started
        out.print(f"{seconds:.0f} s in all; metadata and artifacts in {where.home}", markup=False)

    def _verdict(self, out: Console, summary: dict[str, Any]) -> None:
        if summary["all_cached"]:
            out.print("Nothing has changed: every stage came from the cache. Nothing was pushed.")
        for message in summary["failed_gates"]:
            out.print(f"gate failed: {message}", markup=False)
        # What no gate blocked.
        for line in simple_models.complaints(summary):
            out.print(line, markup=False, style="red", soft_wrap=True)
        if summary["ungated"]:
            out.print(f"tasks without gates (gates: none): {', '.join(summary['ungated'])}", markup=False)
        if summary["pushed"]:
            out.print(f"blessed and pushed to {summary['pushed']}", markup=False)
            if summary["retrieval_serving"]:
                out.print(f"and its retrieval model to {summary['retrieval_serving']}", markup=False)
        elif summary["blessed"] and summary["serving"]:
            out.print(f"blessed; already pushed to {summary['serving']}", markup=False)
        elif summary["blessed"] and summary.get("no_push"):
            out.print(NO_PUSH, markup=False, soft_wrap=True)
        elif summary["blessed"] and summary.get("newer_day"):
            out.print(f"blessed; {summary['newer_day']}", markup=False, soft_wrap=True)
        else:
            out.print("not blessed; nothing was pushed")


def _stage_table(summary: dict[str, Any]) -> Table:
    table = Table("stage", title="Stages", title_justify="left")
    for heading in ("rows", "seconds", "rows/s"):
        table.add_column(heading, justify="right")
    for stage in summary["stages"]:
        rows = f"{stage['rows']:,}" if stage["rows"] else ""
        speed = f"{stage['rows_per_second']:,.0f}" if stage["rows_per_second"] else ""
        table.add_row(stage["name"], rows, "cached" if stage["cached"] else f"{stage['seconds']:.1f}", speed)
    return table


def _accounts_table(summary: dict[str, Any]) -> Table:
    found = losses_in(summary["accounts"].values())
    losses = " + ".join(column.replace("_", "-") for column in found)
    table = Table("stream", title=f"Row accounting: read = used + {losses}", title_justify="left")
    columns = ("read", "used", *found, "other")
    for column in columns:
        table.add_column(column.replace("_", "-"), justify="right")
    for stream, counts in summary["accounts"].items():
        table.add_row(stream, *(f"{counts.get(column, 0):,}" for column in columns))
    return table


def _metrics_table(summary: dict[str, Any]) -> Table:
    constant = summary["constant"]
    tasks = {
        task: metrics if task not in constant else metrics | {constant[task]["by"]: constant[task]["model"]}
        for task, metrics in summary["metrics"].items()
    }
    # The first metric of a task is its main one.
    main = {task: next(iter(metrics), None) for task, metrics in summary["metrics"].items()}
    shown = any("lower" in (summary.get("intervals", {}).get(task, {}).get(name) or {}) for task, name in main.items())
    title = "Metrics on the eval split" + (" (± half of the 95 % interval)" if shown else "")
    table = Table("metric", title=title, title_justify="left")
    for task in tasks:
        table.add_column(task, justify="right")
    for name in dict.fromkeys(metric for metrics in tasks.values() for metric in metrics):
        bounds = (
            summary.get("intervals", {}).get(task, {}).get(name) if name == main.get(task) else None for task in tasks
        )
        table.add_row(name, *map(_with_interval, (_number(tasks[task].get(name)) for task in tasks), bounds))
    for name in dict.fromkeys(metric for about in constant.values() for metric in about["metrics"]):
        values = (constant[task]["metrics"].get(name) if task in constant else None for task in tasks)
        table.add_row(f"{name} of the constant", *map(_number, values))
    if constant:
        answers = (simple_models.BEATEN[constant[task]["beaten"] if task in constant else None] for task in tasks)
        table.add_row("better than the constant", *answers)
    for reference in simple_models.NAMES:
        beside = simple_models.compared(summary, reference)
        for name in dict.fromkeys(metric for metric, _ in beside.values()):
            values = (beside[task][1] if beside.get(task, ("",))[0] == name else None for task in tasks)
            table.add_row(f"{name} of {reference}", *map(_number, values))
        if beside:
            answers = (simple_models.verdict(summary, reference, task) for task in tasks)
            table.add_row(f"better than {reference}", *answers)
    truth = summary["truth"]
    for name in dict.fromkeys(gap for gaps in truth.values() for gap in gaps if gap.endswith("_gap")):
        table.add_row(f"{name} to the truth", *(_number(truth.get(task, {}).get(name)) for task in tasks))
    return table


def _retrieval_table(results: dict[str, Any]) -> Table:
    methods = results["methods"]
    title = f"Retrieval: {results['eval_queries']:,} eval queries over {results['items']:,} items"
    if results.get("with_truth") is not None:
        title += f", {results['with_truth']:,} of them with known best items"
    if results.get("unanswerable") is not None:
        title += f"; {results['unanswerable']:.0%} of the positives are items unknown before the eval split"
    table = Table("metric", title=title, title_justify="left")
    for method in methods:
        table.add_column(method, justify="right")
    for name in _metrics_of(methods):
        table.add_row(name, *(_number(metrics.get(name)) for metrics in methods.values()))
    return table


def _recalls_explained(results: dict[str, Any]) -> list[str]:
    """What each recall in the table asks, and how the model compares with the best other method."""
    lines = []
    for recall, words in RECALLS.items():
        names = [name for name in _metrics_of(results["methods"]) if name.split("@")[0] == recall]
        if names:
            lines.append(words)
            compared = against_the_best(results["methods"], names[-1], results.get("differences") or {})
            if compared:
                lines.append(f"  {names[-1]}: two_tower is {compared[1]} ({compared[2]})")
    return lines


def _metrics_of(methods: Mapping[str, Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(metric for metrics in methods.values() for metric in metrics))


def _with_interval(value: str, bounds: Mapping[str, float] | None) -> str:
    if not bounds or "lower" not in bounds:
        return value
    return f"{value} ± {(bounds['upper'] - bounds['lower']) / 2.0:.4f}"


def _number(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) else f"{value:.4f}"
