"""The report's first screen: the verdict, and each task beside the simple models with the interval of the difference."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.recipe.tasks import COUNTS
from pipeline.eval_reads import in_words
from pipeline.report_page import Markup, count, number, signed, small, table, text
from pipeline.report_retrieval import headline
from pipeline.simple_models import HEADINGS

INTERVALS = (
    "The small figures are the 95 % interval of the gain in the model's metric: above 0, the model is better. The interval covers the "
    "choice of the eval examples, not the seed of the training."
)


def verdict(run: Mapping[str, Any] | None, metrics: Mapping[str, Any] | None = None) -> str:
    """Whether the model was pushed, and why not. Of a model that passed, the tasks below a reference, which no gate forbade."""
    run = run or {}
    blessed, pushed, failed = run.get("blessed"), run.get("pushed"), run.get("failed_gates") or []
    if blessed is None:
        kind, line = "open", "Not evaluated"
    elif not blessed:
        kind, line = "bad", f"Refused: {len(failed)} gate{'' if len(failed) == 1 else 's'} failed, nothing was pushed"
    else:
        experiment = "Every gate passed; an experiment, not pushed (--no-push)"
        unpushed = experiment if run.get("no_push") else "Every gate passed, but nothing was pushed"
        unpushed = "Every gate passed; a model of a newer day is served" if run.get("newer_day") else unpushed
        kind, line = "good", "Pushed: every gate passed" if pushed else unpushed
    reasons = "".join(f"<li>{text(message)}</li>" for message in (_below(metrics or {}) if blessed else failed))
    folders = filter(None, (pushed, run.get("retrieval_serving"))) if blessed else ()
    where = "".join(f'<p class="pushed"><code>{text(folder)}</code></p>' for folder in folders)
    return (
        f'<div class="verdict {kind}"><p class="word">{text(line)}</p>{where}'
        f"{f'<ul>{reasons}</ul>' if reasons else ''}</div>\n"
    )


def glance(
    metrics: Mapping[str, Any] | None, retrieval: Mapping[str, Any] | None = None, reads: int | None = None
) -> str:
    """Each task's main metric and its difference from the constant and the references; then retrieval and `eval_reads`."""
    found = metrics or {}
    references = _differences(found)
    constant = found.get("constant") or {}
    rows = [
        (
            Markup(f"{text(task)}{small(_size(values))}"),
            _main(found, task, next((about[task]["metric"] for about in references.values() if task in about), None)),
            *([_beaten(constant.get(task))] if constant else []),
            *(_compared(by_task.get(task)) for by_task in references.values()),
        )
        for task, values in (found.get("tasks") or {}).items()
    ]
    head = (
        "Task",
        "Model",
        *(["Against the constant"] if constant else []),
        *(f"Against the {HEADINGS[name].lower()}" for name in references),
    )
    words = INTERVALS if references else ""
    listed = table("Each task on the eval split", head, rows, texts=len(head), stacked=True) if rows else ""
    notes = [words, headline(retrieval) if retrieval else "", in_words(reads) if reads else ""]
    return listed + "".join(f'<p class="note">{text(note)}</p>' for note in notes if note)


def facts(run: Mapping[str, Any] | None, summary: Mapping[str, Any] | None) -> str:
    """The run's size."""
    splits = (summary or {}).get("examples", {})
    seconds = [stage.get("seconds") for stage in (run or {}).get("stages") or []]
    listed = [(f"{split} examples", count(rows)) for split, rows in splits.items()]
    listed += [("in all stages", f"{number(sum(second or 0.0 for second in seconds), 1)} s")] if seconds else []
    inner = "".join(f"<div><dt>{text(name)}</dt><dd>{text(value)}</dd></div>" for name, value in listed)
    return f"<dl class=facts>{inner}</dl>\n" if inner else ""


def _differences(metrics: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Reference -> task -> its difference, in the order of the columns."""
    found = (metrics.get("references") or {}).get("differences") or {}
    return {name: found[name] for name in HEADINGS if found.get(name)}


def _below(metrics: Mapping[str, Any]) -> list[str]:
    """A sentence for each reference with the tasks whose interval says that the model is worse."""
    worse = {
        name: [task for task, about in by_task.items() if (about.get("lower") or 0.0) > 0.0]
        for name, by_task in _differences(metrics).items()
    }
    return [f"Worse than the {HEADINGS[name].lower()}: {', '.join(tasks)}" for name, tasks in worse.items() if tasks]


def _main(found: Mapping[str, Any], task: str, compared: str | None) -> Markup:
    """The task's main metric with its interval. It is the one that is compared with the references."""
    values = found["tasks"][task]
    names = [name for name in values if name not in COUNTS]
    name = compared or next((name for name in names if name != "calibration"), next(iter(names), None))
    if name is None:
        return Markup("–")
    bounds = ((found.get("intervals") or {}).get(task) or {}).get(name) or {}
    half = f" ± {number((bounds['upper'] - bounds['lower']) / 2.0)}" if "lower" in bounds else ""
    return Markup(f"{text(name)} <b>{number(values.get(name))}</b>{text(half)}")


def _compared(about: Mapping[str, Any] | None) -> Markup:
    """Gain over a reference. The model is called better or worse only if the interval does not contain 0."""
    loss = (about or {}).get("loss")
    if about is None or loss is None:
        return Markup("–")
    lower, upper = about.get("lower"), about.get("upper")
    if lower is None or upper is None:
        return Markup(f"no interval{small(f'gain {signed(-loss)}')}")
    if upper < 0:
        word = f'<span class="ok">better by {number(-loss)}</span>'
    elif lower > 0:
        word = f'<span class="no">worse by {number(loss)}</span>'
    else:
        word = "no clear difference"
    return Markup(f"{word}{small(f'{signed(-upper)} to {signed(-lower)}')}")


def _beaten(about: Mapping[str, Any] | None) -> Markup:
    if not about or about.get("beaten") is None:
        return Markup("–")
    word = '<span class="ok">better</span>' if about["beaten"] else '<span class="no">no better</span>'
    return Markup(f"{word}{small(about['by'])}")


def _size(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{count(values[name])} {name.removesuffix('_count')}s" for name in COUNTS if name in values)
