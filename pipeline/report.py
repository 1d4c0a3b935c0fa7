"""The report of a run: one self-contained HTML page."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline import (
    report_affinity,
    report_charts,
    report_experts,
    report_glance,
    report_importance,
    report_nights,
    report_page,
    report_results,
    report_retrieval,
    report_sharing,
)
from pipeline.night_list import NightSeen
from pipeline.output import write_output


@dataclasses.dataclass(frozen=True, kw_only=True)
class ReportData:
    """The contents of the files that the stages wrote. The page reports a part that is None as missing.

    Attributes:
        recipe: the recipe's name.
        description: one sentence about the recipe.
        accounts: accounts.json of EventLogs: {stream: {"read", "used", "duplicate", ...}}.
        summary: summary.json of EventLogs: as_of, watermarks, validate_from, eval_from, examples of each split, tasks, warnings.
        days: days.json of EventLogs: rows of each stream by day or hour.
        metrics: metrics.json of the evaluation: tasks, intervals, curves, slices, truth, gates, baseline, references.
        history: history.json of the training: epochs, best_epoch, rows, shrinkage, affinity.
        gates: gates.json of the training: {task: [mean gate weight of each expert]}.
        experts: experts.json of the training: entropies of the gate weights, dead experts.
        importance: importance.json of the training: rises of the losses; None if it was not measured.
        nights: the nights of the recipe up to this one, of a run with `training.start: warm`.
        retrieval: retrieval.json of the retrieval evaluation; None if the recipe has no retrieval model.
        run: {"stages": [{"name", "rows", "seconds", "rows_per_second", "cached"}], "blessed": bool or None,
            "failed_gates": [message], "pushed": path or None, "eval_reads": number of evaluations or None}.
        about: other facts for the last section: recipe file, versions, seed ...
    """

    recipe: str
    description: str = ""
    accounts: Mapping[str, Mapping[str, int]] | None = None
    summary: Mapping[str, Any] | None = None
    days: Mapping[str, Any] | None = None
    metrics: Mapping[str, Any] | None = None
    history: Mapping[str, Any] | None = None
    gates: Mapping[str, list[float]] | None = None
    experts: Mapping[str, Any] | None = None
    importance: Mapping[str, Any] | None = None
    nights: Sequence[NightSeen] = ()
    retrieval: Mapping[str, Any] | None = None
    run: Mapping[str, Any] | None = None
    about: Mapping[str, Any] = dataclasses.field(default_factory=dict)


def write_report(run: ReportData, path: str | Path) -> Path:
    """Writes the page and returns its path. The same data gives the same bytes."""
    write_output(Path(path), page(run))
    return Path(path)


def page(run: ReportData) -> str:
    """The whole page as HTML."""
    truth, affinity = (run.metrics or {}).get("truth"), (run.history or {}).get("affinity")
    served = (run.metrics or {}).get("tasks")
    by_night = report_nights.nights(run.nights)
    gains = report_sharing.twins(run.metrics)
    sections = [
        ("metrics", "Metrics", report_results.metrics(run.metrics)),
        *([("nights", "Nights", by_night)] if by_night else []),
        ("curves", "Curves", report_results.curves(run.metrics)),
        ("gates", "Gates", report_results.gates(run.metrics)),
        *([("truth", "Gap to the true probabilities", report_results.truth(run.metrics or {}))] if truth else []),
        ("slices", "Slices", report_results.slices(run.metrics)),
        *([("sharing", "What sharing gains", report_sharing.sharing(gains))] if gains else []),
        *([("retrieval", "Retrieval", report_retrieval.retrieval(run.retrieval))] if run.retrieval else []),
        ("examples", "Examples and labels", report_page.examples(run.summary)),
        ("accounts", "Row accounting", report_page.accounts(run.accounts)),
        ("days", "Rows by day", report_page.rows_by_day(run.days, run.summary)),
        ("training", "Training", _training(run.history)),
        ("experts", "Expert gate weights", report_experts.experts(run.gates, run.experts)),
        *(
            [("importance", "Importance of the columns", report_importance.importance(run.importance))]
            if run.importance
            else []
        ),
        *([("affinity", "Task affinity", report_affinity.affinity(affinity, served))] if affinity else []),
        ("stages", "Stages", report_page.stages(run.run)),
        ("about", "About this run", report_page.about(run.about)),
    ]
    top = (
        report_glance.verdict(run.run, run.metrics)
        + report_glance.glance(run.metrics, run.retrieval, (run.run or {}).get("eval_reads"))
        + report_glance.facts(run.run, run.summary)
    )
    return report_page.document(run.recipe, run.description, top, sections)


def _training(history: Mapping[str, Any] | None) -> str:
    epochs = (history or {}).get("epochs") or []
    if not epochs:
        return report_page.missing("No history.json: the Trainer has not run, or its output was removed.")
    best = (history or {}).get("best_epoch")
    chart = report_charts.training_curves(epochs, best)
    rows = [
        (
            ("best" if epoch.get("epoch") == best else "", epoch.get("epoch")),
            report_page.number(epoch.get("loss")),
            report_page.number(epoch.get("val_loss")),
            report_page.number(epoch.get("val_score")),
            report_page.number(epoch.get("seconds"), 1),
            report_page.count(epoch.get("examples_per_second")),
        )
        for epoch in epochs
    ]
    table = report_page.table(
        "Total loss of all tasks, by evaluation",
        ("Epoch", "Train loss", "Validate loss", "Validation score", "Seconds", "Examples/s"),
        [[f"{epoch}{' ★' if kind else ''}", *rest] for (kind, epoch), *rest in rows],
        classes=[kind for (kind, _), *_ in rows],
    )
    note = (
        "<p class=note>★ marks the best evaluation. The model has its weights. The validation score is the mean over tasks of "
        "the validation loss divided by that of the best constant: below 1 is better than the constant.</p>"
    )
    note = note if best is not None else ""
    at_best = next((epoch for epoch in epochs if epoch.get("epoch") == best), epochs[-1])
    if at_best.get("zeroed_rows") is not None:
        note += (
            f"<p class=note>{report_page.number(100 * at_best['zeroed_rows'], 1)} % of the inputs of the tasks' own layers "
            "have weights of 0 in all tasks.</p>"
        )
    shrunk = {task: factor for task, factor in ((history or {}).get("shrinkage") or {}).items() if factor < 1.0}
    if shrunk:
        factors = ", ".join(f"{task} by {report_page.number(factor, 2)}" for task, factor in shrunk.items())
        note += (
            "<p class=note>After the training, the logits' distance from the task's constant was multiplied: "
            f"{report_page.text(factors)}. The factors have the smallest loss on the validate split.</p>"
        )
    methods = report_charts.method_curves(epochs)
    if methods:
        methods = report_page.figure(
            methods,
            "What the methods did in each epoch. A cosine below 0: the steps of one task harm the other. An effective share of .1: the "
            "weights of the objective are so unequal that the task is as noisy as with a tenth of its examples.",
        )
    return f"{report_page.figure(chart, 'Loss of each task on the train and validate splits.')}{methods}{table}{note}"
