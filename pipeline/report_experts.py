"""The report's section on the experts: how much each task uses each of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline import report_page
from pipeline.report_heat_map import gate_heat_map

READING = (
    "Entropy: of the mean gate weights, in nats. Relative: divided by ln(experts); 1 is an equal share of all experts, 0 a single expert. "
    "Per example: the mean entropy of the weights of one example. If it equals the entropy, the gate gives each example about the same "
    "weights, so that the task does not choose experts by the example."
)
WHAT_TO_DO = (
    "A dead expert costs parameters and time, but changes the predictions little. Try fewer experts, or the options gate_dropout and "
    "load_balance if the architecture has them."
)


def experts(gates: Mapping[str, list[float]] | None, use: Mapping[str, Any] | None) -> str:
    """The section.

    Args:
        gates: gates.json of the training.
        use: experts.json of the training (`models.training.expert_use`).
    """
    if gates is None:
        return report_page.missing("No gates.json: the Trainer has not run, or its output was removed.")
    if not gates:
        return report_page.missing("This architecture has no expert gates.")
    drawn = report_page.figure(
        gate_heat_map(gates),
        "Mean gate weight of each expert by task, over the validate examples. Tasks with similar rows use the same experts. "
        "A task with a weight near 1 uses one expert only.",
    )
    return drawn + (_use(use) if use else "")


def _use(use: Mapping[str, Any]) -> str:
    rows = []
    for task, about in use["tasks"].items():
        name, most = max(zip(about["experts"], about["mean"], strict=True), key=lambda one: one[1])
        rows.append(
            (
                task,
                report_page.count(len(about["experts"])),
                report_page.number(about["entropy"], 3),
                report_page.number(about["relative_entropy"], 3),
                report_page.number(about["example_entropy"], 3),
                f"{name} ({report_page.number(most, 2)})",
            )
        )
    head = ("Task", "Experts", "Entropy", "Relative", "Per example", "Largest expert (mean weight)")
    table = report_page.table("Entropy of the gate weights, in nats", head, rows)
    dead = use["dead"]
    if dead:
        note = (
            f"Dead experts: {', '.join(dead)}. The mean weight of each is below a tenth of an equal share, for every task that has it. "
            f"{WHAT_TO_DO}"
        )
    else:
        note = "No expert is dead: each has at least a tenth of an equal share for some task."
    return table + "".join(f'<p class="note">{report_page.text(line)}</p>' for line in (READING, note))
