"""`gatewise run --days A..B`: runs a recipe on several days, the oldest first. Imports neither TensorFlow nor TFX.

Each day is a process of its own, so that its result is that of `gatewise run --day` to the bit and its memory is returned. A backfill that was
killed goes on with the same command: what a finished day has made comes from the cache.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from models.recipe.errors import InputError
from models.recipe.file import load_recipe
from models.recipe.spans import HOURS, parse_day, start_of, text_of

PUSHED, REFUSED_INPUT, NOT_BLESSED = 0, 1, 2
OUTCOMES = {PUSHED: "done", REFUSED_INPUT: "input refused", NOT_BLESSED: "refused"}
"""Exit code of `gatewise run` -> its meaning."""
_COMMAND = (sys.executable, "-m", "pipeline.cli", "run")


@dataclasses.dataclass(frozen=True, kw_only=True)
class DayDone:
    """A day of a backfill.

    Attributes:
        day: the day.
        code: exit code of its run. A run that Validation has stopped counts as NOT_BLESSED, if the night was recorded as refused: later nights
            leave out its bad days, so they are run.
        seconds: wall time.
        summary: its summary (`--json`), or None.
    """

    day: str
    code: int
    seconds: float
    summary: dict[str, Any] | None

    @property
    def outcome(self) -> str:
        """The outcome in words."""
        return OUTCOMES.get(self.code, "stopped" if self.code > 100 or self.code < 0 else "crashed")

    @property
    def ends_the_backfill(self) -> bool:
        """Whether the later days are not run. They are run after a day that was refused."""
        return self.code not in (PUSHED, NOT_BLESSED)


def checked_days(days: str | None) -> str | None:
    """Checks the value of `--days`.

    Raises:
        typer.BadParameter: it is no range of days or hours.
    """
    if days is None:
        return None
    first, separator, last = days.partition("..")
    try:
        first, last = parse_day(first), parse_day(last)
        if not separator or len(first) != len(last) or start_of(first) > start_of(last):
            raise ValueError("expected the first and the last day, such as 2026-11-01..2026-11-28")
    except ValueError as error:
        raise typer.BadParameter(f"{error}; received {days!r}.") from None
    return f"{first}..{last}"


DaysOption = Annotated[
    str | None,
    typer.Option(
        "--days",
        metavar="A..B",
        callback=checked_days,
        help="Run each day from A to B, the oldest first, such as 2026-11-01..2026-11-28. A day that is refused, by its gates or by "
        "Validation, does not end the backfill; an error does. Run the same command again to go on.",
    ),
]


def days_between(days: str, hours: int) -> tuple[str, ...]:
    """The days or hours of a range "A..B", both included.

    Args:
        days: the range.
        hours: length of a span of the recipe.
    """
    first, _, last = days.partition("..")
    start, end, found = start_of(first), start_of(last), []
    while start <= end:
        found.append(text_of(start, hours))
        start += datetime.timedelta(hours=hours)
    return tuple(found)


def run_days(
    recipe: Path,
    days: str,
    overrides: Sequence[str],
    options: Sequence[str],
    json_file: Path | None,
    tell: Callable[[str], None],
    command: Sequence[str] = _COMMAND,
    states: Path | None = None,
) -> int:
    """Runs the days and tells the outcome of each.

    Args:
        recipe: recipe file.
        days: the range "A..B".
        overrides: values of `--set`.
        options: the other options of `gatewise run`, without `--day` and `--json`.
        json_file: gets the list of the days: {"day", "exit_code", "outcome", "seconds", "summary"}.
        tell: prints a line.
        command: runs one day.
        states: folder of the recipe's nights; None if nights are not recorded.

    Returns:
        The exit code: that of the day that ended the backfill; otherwise 2 if a model was not blessed, else 0.

    Raises:
        InputError: the recipe has no `logs.span`, or its spans are not of the length of A and B.
    """
    from pipeline.output import write_output

    wanted = days_between(days, _span_of(recipe, days, overrides))
    done: list[DayDone] = []
    given = [*(part for one in overrides for part in ("--set", one)), *options]
    for number, day in enumerate(wanted, start=1):
        tell(f"day {day} ({number} of {len(wanted)})")
        before = _refused(states, day)
        done.append(_run_day(recipe, day, given, command))
        if done[-1].code == REFUSED_INPUT and _refused(states, day) - before:
            done[-1] = dataclasses.replace(done[-1], code=NOT_BLESSED)
        if json_file is not None:
            write_output(json_file, json.dumps([_as_json(one) for one in done], indent=1) + "\n")
        if done[-1].ends_the_backfill:
            break
    for one in done:
        tell(f"{one.day}  {one.outcome}  {one.seconds:.0f} s")
    if len(done) < len(wanted):
        tell(
            f"{len(wanted) - len(done)} later days were not run. Correct what {done[-1].day} tells above, then run the same command again: "
            "what finished days have made comes from the cache."
        )
    codes = [one.code for one in done]
    return codes[-1] if done[-1].ends_the_backfill else max(codes)


def _span_of(recipe: Path, days: str, overrides: Sequence[str]) -> int:
    """Hours of a span of the recipe."""
    logs = load_recipe(recipe, overrides).logs
    if logs is None or logs.span is None:
        raise InputError(f"--days {days}: {recipe} has no `logs.span`, so a run reads all files. Leave the option out.")
    if ("T" in days) != (logs.span == "1h"):
        wanted = (
            "hours, such as 2026-11-28T00..2026-11-28T05"
            if logs.span == "1h"
            else "days, such as 2026-11-01..2026-11-28"
        )
        raise InputError(f"--days: `span: {logs.span}` needs {wanted}; received {days}.")
    return HOURS[logs.span]


def _refused(states: Path | None, day: str) -> set[Any]:
    """The records of a refused night, each with the time at which it was written."""
    if states is None:
        return set()
    from components.push.nights import RECORD, read_records

    found = {version for version, one in read_records(states).items() if one.day == day and not one.pushed}
    return {(version, (states / str(version) / RECORD).stat().st_mtime_ns) for version in found}


def _run_day(recipe: Path, day: str, options: Sequence[str], command: Sequence[str]) -> DayDone:
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        summary = Path(folder) / "summary.json"
        arguments = [*command, str(recipe), *options, "--day", day, "--json", str(summary)]
        with ended_with_this_process(subprocess.Popen(arguments)) as process:
            code = process.wait()
        found = json.loads(summary.read_text(encoding="utf-8")) if summary.is_file() else None
    return DayDone(day=day, code=code, seconds=time.monotonic() - begun, summary=found)


@contextlib.contextmanager
def ended_with_this_process(process: subprocess.Popen[Any]) -> Iterator[subprocess.Popen[Any]]:
    """Ends the run if this process is interrupted, and waits for it: it holds the lock of the recipe's folder."""
    try:
        yield process
    except BaseException:
        process.terminate()
        process.wait()
        raise


def _as_json(one: DayDone) -> dict[str, Any]:
    return {
        "day": one.day,
        "exit_code": one.code,
        "outcome": one.outcome,
        "seconds": round(one.seconds, 3),
        "summary": one.summary,
    }
