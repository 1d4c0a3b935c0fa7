"""The report's building blocks (document, tables, bars) and its sections about data and stages.

Only this module escapes text for HTML.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from typing import Any

from components.event_logs.tally import losses_in
from pipeline import report_charts
from pipeline.report_numbers import count, number
from pipeline.report_style import STYLE

NOT_USED = (
    "Duplicate: the same event again. Orphan: an outcome without an impression before it. Late: outside every window. After-as-of: "
    "after the time at which the logs are complete. Gap: between two splits. Dead-lettered: malformed. Not selected: rows of the "
    "same files that belong to other streams. Of a night: learned, nothing is new since the ancestor; left out, a refused day."
)


def text(value: object) -> str:
    """`value` as HTML text."""
    return html.escape(str(value), quote=True)


def signed(value: float, digits: int = 4) -> str:
    """A difference with fixed digits and its sign; 0 has none."""
    rounded = round(value, digits) + 0.0  # not -0.0
    return f"{'+' if rounded > 0 else ''}{number(rounded, digits)}"


def moment(value: object) -> str:
    """A time in ISO 8601 to the minute; other text unchanged."""
    found = re.fullmatch(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d)\S*Z", str(value))
    return f"{found[1]} {found[2]} UTC" if found else str(value)


def share(part: object, whole: object, digits: int = 1) -> str:
    """`part` as a percentage of `whole`."""
    if not isinstance(part, int | float) or not isinstance(whole, int | float) or not whole:
        return "–"
    return f"{100.0 * part / whole:.{digits}f}%"


def missing(message: str) -> str:
    """The sentence of a section without data."""
    return f'<p class="missing">{text(message)}</p>'


def figure(svg: str, caption: str, title: str = "") -> str:
    heading = f"<h3>{text(title)}</h3>" if title else ""
    return f'<figure>{heading}<div class="chart">{svg}</div><figcaption>{text(caption)}</figcaption></figure>'


def small(words: str) -> str:
    """Words below a table cell's value; "" for none."""
    return f"<small>{text(words)}</small>" if words else ""


class Markup(str):
    """Text that is HTML already and is not escaped."""


def table(
    caption: str,
    head: Sequence[str],
    rows: Sequence[Sequence[object]],
    classes: Sequence[str] = (),
    texts: int = 1,
    stacked: bool = False,
) -> str:
    """A table. The first `texts` columns are texts, and the first of them is the row header. The others are numbers.

    A `stacked` table shows each row as a block on a narrow screen. The others scroll sideways.
    """

    def cell(value: object, column: int) -> str:
        inner = value if isinstance(value, Markup) else text(value)
        if column == 0:
            return f"<th scope=row>{inner}</th>"
        label = f' data-head="{text(head[column])}"' if stacked else ""
        return f"<td{'' if column < texts else ' class=n'}{label}>{inner}</td>"

    top = "".join(
        f"<th scope=col{'' if column < texts else ' class=n'}>{text(name)}</th>" for column, name in enumerate(head)
    )
    body = "".join(
        f'<tr class="{text(kind)}">' + "".join(cell(value, column) for column, value in enumerate(row)) + "</tr>\n"
        for row, kind in zip(rows, [*classes, *[""] * (len(rows) - len(classes))], strict=True)
    )
    return (
        f'<div class="scroll"><table{" class=stacked" if stacked else ""}>'
        f"<caption><span>{text(caption)}</span></caption><thead><tr>{top}</tr></thead>\n"
        f"<tbody>{body}</tbody></table></div>\n"
    )


def document(
    name: str, description: str, top: str, sections: Sequence[tuple[str, str, str]], kind: str = "run report"
) -> str:
    """The page: header, its HTML `top`, table of contents, and sections given as (id, title, HTML). `kind`: of page."""
    contents = "".join(f'<a href="#{key}">{text(title)}</a>' for key, title, _ in sections)
    body = "\n".join(
        f'<section id="{key}" aria-labelledby="{key}-title"><h2 id="{key}-title">{text(title)}</h2>\n{inner}</section>'
        for key, title, inner in sections
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{text(name)} · gatewise {text(kind)}</title>\n<style>{STYLE}</style></head>\n<body>\n"
        f'<header><p class="kicker">gatewise {text(kind)}</p><h1>{text(name)}</h1>\n'
        f'{f"""<p class="lead">{text(description)}</p>""" if description else ""}\n'
        f'{top}<nav aria-label="Sections">{contents}</nav></header>\n<main>\n{body}\n</main>\n</body></html>\n'
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
                count(stage.get("rows") or None),
                count(stage.get("rows_per_second") or None),
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
    entries = losses_in(found.values())
    for stream, account in found.items():
        read, used = account.get("read", 0), account.get("used", 0)
        balanced = read == used + sum(account.get(name, 0) for name in entries)
        sign = Markup('<span class="ok">balanced</span>' if balanced else '<span class="no">does not add up</span>')
        losses = [count(account.get(name, 0)) for name in entries]
        rows.append((stream, count(read), count(used), *losses, count(account.get("other", 0)), sign))
        classes.append("" if balanced else "failed")
        parts = "".join(
            f'<span class="{name}" style="width:{100.0 * account.get(name, 0) / max(read, 1):.3f}%"></span>'
            for name in ("used", *entries)
        )
        kept = share(used, read, 2)
        bars.append(
            f'<div class="stream"><span class="name">{text(stream)}</span><span class="stack">{parts}</span>'
            f'<span class="kept">{kept} used</span></div>'
        )
    legend = "".join(
        f'<span class="key"><i class="{name}"></i>{name.replace("_", "-")}</span>' for name in ("used", *entries)
    )
    head = (
        "Stream",
        "Read",
        "Used",
        *(name.replace("_", "-").capitalize() for name in entries),
        "Not selected",
        "Balance",
    )
    listed = table(f"read = used + {' + '.join(name.replace('_', '-') for name in entries)}", head, rows, classes)
    note = f'<p class="note">{text(NOT_USED)}</p>'
    return f'<div class="stacks" aria-hidden="true">{"".join(bars)}<p class="legend">{legend}</p></div>{listed}{note}'


def rows_by_day(days: Mapping[str, Any] | None, summary: Mapping[str, Any] | None) -> str:
    """Rows of each stream by day, and the stage's warnings."""
    warnings = "".join(f'<p class="note">{text(warning)}</p>' for warning in (summary or {}).get("warnings", []))
    found = {stream: rows for stream, rows in ((days or {}).get("rows") or {}).items() if rows}
    if not found:
        return missing("No days.json: EventLogs has not run, or the rows have no time.") + warnings
    hours = (days or {}).get("hours", 24)
    chart = report_charts.rows_by_day(found, hours)
    what = "day" if hours == 24 else "hour"
    return (
        figure(
            chart, f"Well-formed rows of each stream by {what} (UTC), up to the time at which the logs are complete."
        )
        + warnings
    )


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
    head = ("Task", "Split", "Examples", "Observed", "Observed share", "Positives", "Positive rate")
    named = (
        ("logs complete up to", "as_of"),
        ("validate split from", "validate_from"),
        ("eval split from", "eval_from"),
    )
    moments = [f"{name} {moment(summary[key])}" for name, key in named if summary.get(key)]
    moments += [f"last {stream} {moment(at)}" for stream, at in summary.get("watermarks", {}).items()]
    note = f'<p class="note">{text(" · ".join(moments))}</p>' if moments else ""
    return table("Labels by task and split", head, rows, texts=2) + note


def about(lines: Mapping[str, Any]) -> str:
    if not lines:
        return missing("No further facts are recorded.")
    listed = "".join(f"<div><dt>{text(name)}</dt><dd>{text(value)}</dd></div>" for name, value in lines.items())
    return f'<dl class="about">{listed}</dl>'
