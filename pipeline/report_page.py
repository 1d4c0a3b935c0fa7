"""The report's building blocks (document, tables, bars) and its sections about data and stages.

Only this module escapes text for HTML.
"""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from typing import Any

from components.event_logs.tally import LOSSES
from pipeline import report_charts
from pipeline.report_style import STYLE


def text(value: object) -> str:
    """`value` as HTML text."""
    return html.escape(str(value), quote=True)


def number(value: object, digits: int = 4) -> str:
    """A number with fixed digits; a dash for None."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        return "–"
    return f"{value:,.{digits}f}".replace("-", "\N{MINUS SIGN}")


def count(value: object) -> str:
    """An integer with thousands separators; a dash for None."""
    return number(round(value) if isinstance(value, int | float) and math.isfinite(value) else None, 0)


def share(part: object, whole: object, digits: int = 1) -> str:
    """`part` as a percentage of `whole`."""
    if not isinstance(part, int | float) or not isinstance(whole, int | float) or not whole:
        return "–"
    return f"{100.0 * part / whole:.{digits}f}%"


def missing(message: str) -> str:
    """The sentence of a section without data."""
    return f'<p class="missing">{text(message)}</p>'


def figure(svg: str, caption: str) -> str:
    return f"<figure>{svg}<figcaption>{text(caption)}</figcaption></figure>"


class Markup(str):
    """Text that is HTML already and is not escaped."""


def table(
    caption: str, head: Sequence[str], rows: Sequence[Sequence[object]], classes: Sequence[str] = (), texts: int = 1
) -> str:
    """A table. The first `texts` columns are texts, and the first of them is the row header. The others are numbers."""

    def cell(value: object, column: int) -> str:
        inner = value if isinstance(value, Markup) else text(value)
        if column == 0:
            return f"<th scope=row>{inner}</th>"
        return f"<td{'' if column < texts else ' class=n'}>{inner}</td>"

    top = "".join(
        f"<th scope=col{'' if column < texts else ' class=n'}>{text(name)}</th>" for column, name in enumerate(head)
    )
    body = "".join(
        f'<tr class="{text(kind)}">' + "".join(cell(value, column) for column, value in enumerate(row)) + "</tr>\n"
        for row, kind in zip(rows, [*classes, *[""] * (len(rows) - len(classes))], strict=True)
    )
    return (
        f'<div class="scroll"><table><caption>{text(caption)}</caption><thead><tr>{top}</tr></thead>\n'
        f"<tbody>{body}</tbody></table></div>\n"
    )


def document(name: str, description: str, verdict: str, sections: Sequence[tuple[str, str, str]]) -> str:
    """The page: header, verdict, table of contents, and sections given as (id, title, HTML)."""
    contents = "".join(f'<a href="#{key}">{text(title)}</a>' for key, title, _ in sections)
    body = "\n".join(
        f'<section id="{key}" aria-labelledby="{key}-title"><h2 id="{key}-title">{text(title)}</h2>\n{inner}</section>'
        for key, title, inner in sections
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{text(name)} · gatewise report</title>\n<style>{STYLE}</style></head>\n<body>\n"
        f'<header><p class="kicker">gatewise run report</p><h1>{text(name)}</h1>\n'
        f'<p class="lead">{text(description)}</p>\n'
        f'{verdict}<nav aria-label="Sections">{contents}</nav></header>\n<main>\n{body}\n</main>\n</body></html>\n'
    )


def verdict(run: Mapping[str, Any] | None, summary: Mapping[str, Any] | None) -> str:
    """The outcome of the run in one line, and the run's size."""
    run = run or {}
    blessed, pushed, failed = run.get("blessed"), run.get("pushed"), run.get("failed_gates") or []
    if blessed is None:
        kind, line = "open", "Not evaluated"
    elif not blessed:
        kind, line = "bad", f"Not blessed: {len(failed)} gate{'' if len(failed) == 1 else 's'} failed"
    else:
        kind, line = "good", "Blessed and pushed" if pushed else "Blessed, not pushed"
    reasons = "".join(f"<li>{text(message)}</li>" for message in failed)
    folders = filter(None, (pushed, run.get("retrieval_serving")))
    where = "".join(f'<p class="pushed"><code>{text(folder)}</code></p>' for folder in folders)
    splits = (summary or {}).get("examples", {})
    seconds = [stage.get("seconds") for stage in run.get("stages") or []]
    facts = [(f"{split} examples", count(rows)) for split, rows in splits.items()]
    facts += [("tasks", count(len((summary or {}).get("tasks", {}))))] if summary else []
    facts += [("in all stages", f"{number(sum(second or 0.0 for second in seconds), 1)} s")] if seconds else []
    listed = "".join(f"<div><dt>{text(name)}</dt><dd>{text(value)}</dd></div>" for name, value in facts)
    return (
        f'<div class="verdict {kind}"><p class="word">{text(line)}</p>{where}'
        f"{f'<ul>{reasons}</ul>' if reasons else ''}</div>\n{f'<dl class=facts>{listed}</dl>' if listed else ''}\n"
    )


def stages(run: Mapping[str, Any] | None) -> str:
    found = (run or {}).get("stages") or []
    if not found:
        return missing("The metadata store has no stages of this run.")
    longest = max((stage.get("seconds") or 0.0) for stage in found) or 1.0
    rows = []
    for stage in found:
        seconds = stage.get("seconds") or 0.0
        bar = Markup(f'<span class="bar" style="width:{100.0 * seconds / longest:.1f}%"></span>')
        done = "from cache" if stage.get("cached") else "ran"
        rows.append(
            (
                stage["name"],
                done,
                bar,
                number(seconds, 1),
                count(stage.get("rows")),
                count(stage.get("rows_per_second")),
            )
        )
    head = ("Stage", "Status", "Relative duration", "Seconds", "Rows", "Rows/s")
    return table(
        "Stages in order of execution",
        head,
        rows,
        ["cached" if stage.get("cached") else "" for stage in found],
        texts=3,
    )


def accounts(found: Mapping[str, Mapping[str, int]] | None) -> str:
    """Row accounting of each stream: the counts must add up to the rows read."""
    if not found:
        return missing("No accounts.json: EventLogs has not run, or its output was removed.")
    rows, bars, classes = [], [], []
    for stream, account in found.items():
        read, used = account.get("read", 0), account.get("used", 0)
        balanced = read == used + sum(account.get(name, 0) for name in LOSSES)
        sign = Markup('<span class="ok">balanced</span>' if balanced else '<span class="no">does not add up</span>')
        losses = [count(account.get(name, 0)) for name in LOSSES]
        rows.append((stream, count(read), count(used), *losses, count(account.get("other", 0)), sign))
        classes.append("" if balanced else "failed")
        parts = "".join(
            f'<span class="{name}" style="width:{100.0 * account.get(name, 0) / max(read, 1):.3f}%"></span>'
            for name in ("used", *LOSSES)
        )
        kept = share(used, read, 2)
        bars.append(
            f'<div class="stream"><span class="name">{text(stream)}</span><span class="stack">{parts}</span>'
            f'<span class="kept">{kept} used</span></div>'
        )
    legend = "".join(
        f'<span class="key"><i class="{name}"></i>{name.replace("_", "-")}</span>' for name in ("used", *LOSSES)
    )
    head = (
        "Stream",
        "Read",
        "Used",
        *(name.replace("_", "-").capitalize() for name in LOSSES),
        "Of other streams",
        "Balance",
    )
    listed = table(f"read = used + {' + '.join(name.replace('_', '-') for name in LOSSES)}", head, rows, classes)
    return f'<div class="stacks" aria-hidden="true">{"".join(bars)}<p class="legend">{legend}</p></div>{listed}'


def rows_by_day(days: Mapping[str, Any] | None, summary: Mapping[str, Any] | None) -> str:
    """Rows of each stream by day, and the stage's warnings."""
    warnings = "".join(f'<p class="note">{text(warning)}</p>' for warning in (summary or {}).get("warnings", []))
    found = {stream: rows for stream, rows in ((days or {}).get("rows") or {}).items() if rows}
    if not found:
        return missing("No days.json: EventLogs has not run, or the rows have no time.") + warnings
    hours = (days or {}).get("hours", 24)
    chart = report_charts.rows_by_day(found, hours)
    what = "day" if hours == 24 else "hour"
    return figure(chart, f"Well-formed rows of each stream by {what} (UTC), up to `as_of`.") + warnings


def examples(summary: Mapping[str, Any] | None) -> str:
    """Number of examples per split, and each task's positive rate over its observed examples."""
    if not summary:
        return missing("No summary.json: EventLogs has not run, or its output was removed.")
    rows = []
    for task, splits in summary.get("tasks", {}).items():
        for split, tally in splits.items():
            observed, positives = tally.get("observed"), tally.get("positives")
            numbers = (count(tally.get("examples")), count(observed), share(observed, tally.get("examples")))
            rows.append((task, split, *numbers, count(positives), share(positives, observed, 2)))
    head = ("Task", "Split", "Examples", "Observed", "of examples", "Positives", "of observed")
    named = (("complete up to", "as_of"), ("validate split from", "validate_from"), ("eval split from", "eval_from"))
    moments = [f"{name}: {summary[key]}" for name, key in named if summary.get(key)]
    moments += [f"{stream} ends at {at}" for stream, at in summary.get("watermarks", {}).items()]
    note = f'<p class="note">{text(" · ".join(moments))}</p>' if moments else ""
    return table("Labels by task and split", head, rows, texts=2) + note


def about(lines: Mapping[str, Any]) -> str:
    if not lines:
        return missing("No further facts are recorded.")
    listed = "".join(f"<div><dt>{text(name)}</dt><dd>{text(value)}</dd></div>" for name, value in lines.items())
    return f'<dl class="about">{listed}</dl>'
