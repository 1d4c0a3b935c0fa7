"""The page's account of the methods: cost, settings, tuning trials, expert gates, weights of the balancers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline import report_heat_map
from pipeline.comparing import page_charts
from pipeline.comparing.answer import Result, percent
from pipeline.comparing.page_results import chosen_rows, pictures
from pipeline.report_page import Markup, count, figure, missing, number, table, text

MATCHED = {
    "parameters": "The networks are matched in parameters",
    "flops": "The networks are matched in multiply-adds",
    "none": "The networks are not matched in size",
}
"""`match` -> what it means."""


def cost(result: Result) -> str:
    """Size and time of each method."""
    rows = []
    for method in result["methods"]:
        found = method.get("cost") or {}
        page, memory = found.get("page_ms") or {}, found.get("peak_memory")
        rows.append(
            (
                method["name"],
                count(method.get("parameters")),
                percent(method.get("off_budget")),
                count(method.get("flops")),
                number(found.get("seconds_per_pass"), 2),
                number(found.get("seconds"), 1),
                number(None if memory is None else memory / 1e9, 2),
                number(page.get("p50"), 2),
                number(page.get("p99"), 2),
            )
        )
    head = (
        "Method",
        "Parameters",
        "Off budget",
        "Multiply-adds",
        "Seconds a pass",
        "Seconds",
        "Memory, GB",
        "p50, ms",
        "p99, ms",
    )
    budget = result.get("budget") or {}
    amounts = ((budget.get(name), words) for name, words in (("parameters", "parameters"), ("flops", "multiply-adds")))
    sizes = " and ".join(f"{count(amount)} {words}" for amount, words in amounts if amount is not None)
    note = (
        f"{MATCHED[result['match']]}{f'; budget: {sizes}' if sizes else ''}. Lower is better in all columns. Parameters: of the network, "
        "without embedding tables. Multiply-adds: of its matrix products, for one example. A pass: over the train split. Seconds: in all. "
        "Memory: peak. p50 and p99: latency of a request with 500 candidates."
    )
    return table("Cost of each method", head, rows, chosen_rows(result)) + f'<p class="note">{text(note)}</p>'


def settings(result: Result) -> str:
    """What makes each method: parts, options, and what the trials chose."""
    rows = [
        (
            method["name"],
            method["architecture"],
            method["backbone"],
            method["balancer"],
            "asked for" if method.get("asked") else "in every comparison",
            _changes(method.get("changes")),
            _codes(method.get("overrides") or []),
        )
        for method in result["methods"]
    ]
    head = ("Method", "Architecture", "Backbone", "Balancer", "Row", "Chosen by the trials", "Settings (--set)")
    return table("Settings of each method", head, rows, chosen_rows(result), texts=len(head), stacked=True)


def trials(result: Result) -> str:
    """What tuning tried and chose: a summary, and every trial."""
    short, every = [], []
    for method in result["methods"]:
        tried = method.get("trials") or []
        scores = [trial["score"] for trial in tried if trial.get("score") is not None]
        best = min(scores, default=None)
        short.append(
            (
                method["name"],
                _changes(method.get("changes")),
                count(len(tried)),
                count(sum(bool(trial.get("stopped")) for trial in tried)),
                number(best),
                number(sum(trial.get("seconds") or 0.0 for trial in tried), 1),
            )
        )
        every += [
            (
                method["name"],
                _changes(trial.get("changes")),
                "stopped early" if trial.get("stopped") else "finished",
                number(trial.get("score")),
                count(trial.get("rounds")),
                number(trial.get("seconds"), 1),
            )
            for trial in tried
        ]
    head = ("Method", "Chosen", "Trials", "Stopped early", "Best score", "Seconds")
    listed = table("Tuning of each method", head, short, chosen_rows(result), texts=2, stacked=True)
    head = ("Method", "Changes", "End", "Score", "Rounds", "Seconds")
    whole = table("Every trial", head, every, texts=3, stacked=True)
    note = (
        "Every method has the same number of trials. Score: mean over the tasks of the validate loss divided by that of the best constant; "
        "lower is better. A dash: the trial failed. Stopped early: by successive halving."
    )
    details = f"<details><summary>All {count(len(every))} trials</summary>{whole}</details>"
    return f'{listed}<p class="note">{text(note)}</p>{details}'


def gates(result: Result) -> str:
    """Heat map of the gates of each method that has some."""
    found = {method["name"]: method["gates"] for method in result["methods"] if method.get("gates")}
    if not found:
        return missing("No method has expert gates.")
    note = "Mean gate weight of each expert by task; the weights of a task sum to 1. Tasks with similar rows use the same experts."
    maps = [
        figure(report_heat_map.gate_heat_map(weights), "mean gate weight, 0 to 1", name)
        for name, weights in found.items()
    ]
    return f'<p class="note">{text(note)}</p>{pictures(maps)}'


def task_weights(result: Result) -> str:
    """Weights of the balancers by round."""
    found = {method["name"]: method["task_weights"] for method in result["methods"] if method.get("task_weights")}
    if not found:
        return missing("No balancer weighs losses.")
    words = "Weight of each task's loss by round, first seed. With fixed weights each line is flat."
    return figure(page_charts.weight_lines(found), words)


def _changes(changes: Mapping[str, Any] | None) -> Markup:
    return _codes([f"{key}={value}" for key, value in (changes or {}).items()]) if changes else Markup("defaults")


def _codes(lines: list[str]) -> Markup:
    return Markup("<br>".join(f"<code>{text(line)}</code>" for line in lines) or "–")
