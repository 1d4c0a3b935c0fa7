"""The page of a comparison: one self-contained HTML page. The answer comes first, then its evidence, then how it was made."""

from __future__ import annotations

from pipeline.comparing import page_methods, page_results
from pipeline.comparing.answer import Result, answer, visible
from pipeline.report_page import about, count, document, number, text


def page(result: Result) -> str:
    """The whole page as HTML. The same result gives the same bytes.

    Args:
        result: the contents of compare.json.
    """
    methods = result["methods"]
    tuned, simulated, gated, weighted = (
        any(method.get(part) for method in methods) for part in ("trials", "truth", "gates", "task_weights")
    )
    sections = [
        ("gains", "Gain over the twins", page_results.gains(result)),
        *((f"task-{index}", task, page_results.task_table(result, task)) for index, task in enumerate(result["tasks"])),
        ("together", "All tasks", page_results.together(result)),
        *([("pareto", "Trade-offs", page_results.trade_offs(result))] if len(result["tasks"]) > 1 else []),
        ("cost", "Cost", page_methods.cost(result)),
        *([("truth", "Gap to the truth", page_results.truth(result))] if simulated else []),
        *([("trials", "Tuning", page_methods.trials(result))] if tuned else []),
        *([("gates", "Expert gates", page_methods.gates(result))] if gated else []),
        *([("weights", "Task weights", page_methods.task_weights(result))] if weighted else []),
        ("settings", "Settings", page_methods.settings(result)),
        ("about", "How this was made", about(_facts(result))),
    ]
    described = f"{len(methods)} methods on the same logs: what to ship, and how sure that is."
    return document(result["recipe"], described, _answer(result) + _size(result), sections, "comparison")


def _answer(result: Result) -> str:
    found = answer(result)
    lines = "".join(f"<li>{text(line)}</li>" for line in found.sentences)
    return f'<div class="verdict {found.kind}"><p class="word">{text(found.headline)}</p><ul>{lines}</ul></div>\n'


def _size(result: Result) -> str:
    listed = {
        "methods": count(len(result["methods"])),
        "seeds each": count(len(result["seeds"])),
        "trials each": count(result["trials"]),
        **{f"{split} examples": count(rows) for split, rows in (result.get("examples") or {}).items()},
        "in all": f"{number(result['seconds'], 1)} s",
    }
    inner = "".join(f"<div><dt>{text(name)}</dt><dd>{text(value)}</dd></div>" for name, value in listed.items())
    return f"<dl class=facts>{inner}</dl>\n"


def _facts(result: Result) -> dict[str, str]:
    """How the comparison was made, one fact a line."""
    groups, reads, data = result.get("groups"), result.get("test_reads") or {}, result.get("data") or {}
    level = f"{100 * result['confidence']:g} %"
    least = ", ".join(
        f"{task} {value:.4f} {result['tasks'][task]['metric']}" for task, value in visible(result).items()
    )
    rows = ", ".join(f"{split} {count(number)}" for split, number in (result.get("examples") or {}).items())
    return {
        "Command": result["command"],
        "Recipe": f"{result['file']}, fingerprint {result['recipe_fingerprint']}",
        "Data": f"{count(data.get('files'))} files, {count(data.get('bytes'))} bytes, fingerprint {data.get('fingerprint', '–')}",
        "Code": f"gatewise {result['gatewise']}, fingerprint {result['code']}",
        "Tasks": ", ".join(f"{task} ({about['kind']}, {about['metric']})" for task, about in result["tasks"].items()),
        "Seeds": ", ".join(str(seed) for seed in result["seeds"]),
        "Trials": f"{count(result['trials'])} for each method"
        if result["trials"]
        else "none: every method has its defaults",
        "Size": page_methods.MATCHED[result["match"]],
        "Examples": rows or "–",
        "Groups": f"{count(groups['count'])} groups of {groups['key']}"
        if groups
        else "none: each example is its own group",
        "Eval split": f"opened {count(reads.get('here'))} times by this comparison, {count(reads.get('all'))} times by all comparisons. "
        "Stopping, tuning and the choice of the method use the validate split only.",
        "Intervals": f"{level}, over seeds and groups, paired: the same examples and seeds for both methods",
        "Verdicts": f"from p-values that Holm's method corrects for the number of methods, at {level}",
        "Smallest visible difference": f"{least or '–'}; found with probability 0.8 (the largest over the methods)",
        "Format": f"compare.json, format {result['format']}",
    }
