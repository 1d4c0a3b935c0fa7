"""The results as one file, retrieval.json."""

from __future__ import annotations

import json
import os

from components.retrieval_evaluation.report import Report
from components.storage.writing import write_text

RESULTS = "retrieval.json"
"""{"methods": {method: {metric: value or null}}, "eval_queries", "items", "relevant", "without_history": numbers,
"gates": [{"metric", "limit", "value", "held", "message"}], "older": why no older model is among the methods, or null,
"unanswerable": share of the eval split's positives whose item nobody could answer, or null}"""


def write_results(report: Report, unanswerable: float | None, folder: str) -> None:
    """Writes the file; it appears whole or not at all.

    Args:
        report: what was measured.
        unanswerable: share of the eval split's positives whose item was not known before it.
        folder: of the ModelEvaluation artifact.
    """
    found = {**report.to_json(), "unanswerable": unanswerable}
    write_text(os.path.join(folder, RESULTS), json.dumps(found, indent=1, allow_nan=False))
