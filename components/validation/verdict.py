"""What the findings mean for the run: go on, or stop with one message that says everything."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from components.validation.findings import Finding
from components.validation.plan import ValidationPlan
from models.recipe.errors import InputError

logger = logging.getLogger(__name__)

_ADVICE = {
    "schema": "If the data is right, correct the curated schema (validation.schema); to go on regardless, set "
    "validation.on_anomaly to warn.",
    "drift": "If the change is meant, raise the limit in validation.drift, or set validation.on_drift to warn for one "
    "run: what it lets through is what the next run is compared with.",
}


def decide(findings: Sequence[Finding], plan: ValidationPlan) -> None:
    """Logs what only warns; stops the run for the rest.

    Findings against an inferred schema never stop: such a schema was made from the same statistics.

    Raises:
        InputError: lists every finding that stops, what to do about each kind, and the warnings.
    """
    action = {"schema": plan.on_anomaly if plan.curated else "warn", "drift": plan.on_drift}
    stopping = [finding for finding in findings if action[finding.kind] == "stop"]
    warnings = [finding for finding in findings if action[finding.kind] != "stop"]
    for finding in warnings:
        logger.warning("Validation: %s", finding)
    if stopping:
        raise InputError(_message(stopping, warnings))


def _message(stopping: Sequence[Finding], warnings: Sequence[Finding]) -> str:
    kinds = {finding.kind for finding in stopping}
    what = {
        frozenset({"schema"}): "depart from the curated schema",
        frozenset({"drift"}): "have drifted from those of the last good run",
    }.get(frozenset(kinds), "depart from the curated schema and have drifted from those of the last good run")
    lines = [f"The examples {what}. Nothing was learned from them."]
    lines += [f"  - {finding}" for finding in stopping]
    if warnings:
        lines += ["Only warnings:", *(f"  - {finding}" for finding in warnings)]
    lines += [_ADVICE[kind] for kind in ("schema", "drift") if kind in kinds]
    return "\n".join(lines)
