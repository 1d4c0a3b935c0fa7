"""The report's section about the retrieval model, compared with simple methods."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline import report_charts
from pipeline.report_page import Markup, count, figure, number, table, text
from pipeline.retrieval_comparison import against_the_best

NAMES = {
    "two_tower": "two-tower model",
    "popular": "most popular",
    "popular_last_day": "most popular on the last day",
    "co_occurrence": "co-occurrence",
    "prior": "prior only",
    "older_model": "older blessed model",
}


RECALLS = {
    "true_recall": "True recall: share of a user's truly best k items that are in the list of k, where the truth is known.",
    "recall": "Recall: share of a user's positives that are in the retrieved list. Users could choose only what was shown.",
    "weighted_recall": "Weighted recall: recall in which a positive counts 1 / its item's share of the impressions, clipped. It "
    "estimates the recall if every item was shown equally often.",
}
"""Name of a recall -> what it asks. The truth leads."""

SAME_ITEMS = "Every method retrieves from the items known before the eval split."

EXPOSURE = {
    "recall": " Logs recorded under another ranking policy favour the items that it showed most. Compare the weighted recall, or "
    "the true recall if it is known. See docs/retrieval.md, Which recall to trust.",
}
"""Name of a recall -> why popularity may win it wrongly."""


def retrieval(found: Mapping[str, Any]) -> str:
    """Metrics of each method, a recall chart, and the gates."""
    methods = {NAMES.get(name, name): metrics for name, metrics in found["methods"].items()}
    names = list(dict.fromkeys(metric for metrics in methods.values() for metric in metrics))
    rows = [(name, *(number(metrics.get(name)) for metrics in methods.values())) for name in names]
    caption = f"{count(found['eval_queries'])} eval queries over {count(found['items'])} items"
    if found.get("with_truth") is not None:
        caption += f", {count(found['with_truth'])} of them with known best items"
    if found.get("unanswerable") is not None:
        caption += f"; {100 * found['unanswerable']:.0f}% of the positives are items unknown before the eval split"
    parts = []
    for recall, words in RECALLS.items():
        recalls = [name for name in names if name.split("@")[0] == recall]
        if recalls:
            bars = {
                method: [float(metrics.get(name) or 0.0) for name in recalls] for method, metrics in methods.items()
            }
            parts.append(figure(report_charts.grouped_bars(recalls, bars), f"{words} {SAME_ITEMS}"))
            parts.append(_against_the_best(found["methods"], recalls[-1], found.get("differences") or {}))
    parts.append(table(caption, ("Metric", *methods), rows, [""] * len(rows)))
    gates = found.get("gates") or []
    if gates:
        signs = {True: Markup('<span class="ok">passed</span>'), False: Markup('<span class="no">failed</span>')}
        lines = [(gate["metric"], signs[bool(gate["held"])], gate["message"]) for gate in gates]
        head = ("Metric", "Gate", "Message")
        parts.append(
            table("Gates", head, lines, ["" if gate["held"] else "failed" for gate in gates], texts=3, stacked=True)
        )
    return "".join(parts)


def headline(found: Mapping[str, Any]) -> str:
    """The first recall that the retrieval model has, beside the best other method, as a sentence; "" without one."""
    names = list(dict.fromkeys(metric for metrics in found["methods"].values() for metric in metrics))
    metric = next((name for recall in RECALLS for name in reversed(names) if name.split("@")[0] == recall), None)
    compared = metric and against_the_best(found["methods"], metric, found.get("differences") or {})
    if not compared:
        return ""
    return f"Retrieval: {metric} is {number(found['methods']['two_tower'][metric])}, {compared[1]} ({NAMES.get(compared[2], compared[2])})."


def _against_the_best(
    methods: Mapping[str, Mapping[str, Any]], metric: str, differences: Mapping[str, Mapping[str, Any]]
) -> str:
    """Difference between the model and the best other method, and an explanation if popularity wins."""
    compared = against_the_best(methods, metric, differences)
    if compared is None:
        return ""
    change, words, best = compared
    words = f"{metric}: the two-tower model is {words} ({NAMES.get(best, best)})."
    if change < 0 and best in ("popular", "popular_last_day"):
        words += EXPOSURE.get(metric.split("@")[0], "")
    return f'<p class="note">{text(words)}</p>'
