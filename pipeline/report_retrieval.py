"""The report's section about the retrieval model: its lists beside those of simple methods."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline import report_charts
from pipeline.report_page import Markup, count, figure, number, table, text

NAMES = {
    "two_tower": "two towers",
    "popular": "most popular",
    "popular_last_day": "most popular of the last day",
    "co_occurrence": "chosen together",
    "prior": "the prior alone",
    "older_model": "older blessed model",
}


def retrieval(found: Mapping[str, Any]) -> str:
    """The metrics of each method, a picture of the recall, and the gates."""
    methods = {NAMES.get(name, name): metrics for name, metrics in found["methods"].items()}
    names = list(dict.fromkeys(metric for metrics in methods.values() for metric in metrics))
    rows = [(name, *(number(metrics.get(name)) for metrics in methods.values())) for name in names]
    caption = f"{count(found['eval_queries'])} users of the eval split, asked about {count(found['items'])} items"
    if found.get("unanswerable") is not None:
        caption += f"; of the choices {100 * found['unanswerable']:.0f}% were of items not known before"
    parts = []
    recalls = [name for name in names if name.startswith("recall@")]
    if recalls:
        bars = {method: [float(metrics.get(name) or 0.0) for name in recalls] for method, metrics in methods.items()}
        parts.append(
            figure(
                report_charts.grouped_bars(recalls, bars),
                "Share of what users then chose that was in their list. Every method answers about the items known when the "
                "eval split begins.",
            )
        )
        parts.append(_against_the_best(methods, recalls[-1]))
    parts.append(table(caption, ("Metric", *methods), rows, [""] * len(rows)))
    gates = found.get("gates") or []
    if gates:
        signs = {True: Markup('<span class="ok">held</span>'), False: Markup('<span class="no">failed</span>')}
        lines = [(gate["metric"], signs[bool(gate["held"])], gate["message"]) for gate in gates]
        head = ("Metric", "Gate", "Message")
        parts.append(table("Gates", head, lines, ["" if gate["held"] else "failed" for gate in gates], texts=3))
    return "".join(parts)


def _against_the_best(methods: Mapping[str, Mapping[str, Any]], metric: str) -> str:
    """By how much the model wins or loses against the best of the others, and what losing to popularity may mean."""
    values = {method: metrics[metric] for method, metrics in methods.items() if metrics.get(metric) is not None}
    ours = values.pop(NAMES["two_tower"], None)
    if ours is None or not values:
        return ""
    best = max(values, key=lambda method: values[method])
    change = ours - values[best]
    if change >= 0:
        words = f"{metric}: the two towers are {change:.4f} above the best of the others, {best}."
    else:
        words = f"{metric}: the two towers are {-change:.4f} below {best}."
        if best in (NAMES["popular"], NAMES["popular_last_day"]):
            words += (
                " Logs whose exposure somebody else chose favour what was shown most; docs/retrieval.md, What it reaches, has "
                "an example."
            )
    return f'<p class="note">{text(words)}</p>'
