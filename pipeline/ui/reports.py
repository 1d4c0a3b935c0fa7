"""Reports of runs, made on demand in a thread and kept by run id."""

from __future__ import annotations

import collections
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from pipeline.run_records import RUNNING, find
from pipeline.ui.pages import records_of
from pipeline.ui.sessions import IMPORTING

KEPT = 16


class Made(NamedTuple):
    """The whole report of a run, and its parts for the run's page, as HTML."""

    report: str
    parts: str


class Reports:
    """The reports of the runs under a root. Nothing is written."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._thread = ThreadPoolExecutor(1, "reports")
        self._made: collections.OrderedDict[tuple[str, str], Made] = collections.OrderedDict()
        self._lock = threading.Lock()

    def made(self, run: str) -> Future[Made]:
        """The report of a run. It fails with InputError if the run has none."""
        return self._thread.submit(self._make, run)

    def close(self) -> None:
        """Ends the thread after its current report."""
        self._thread.shutdown(wait=True, cancel_futures=True)

    def _make(self, run: str) -> Made:
        record = find(records_of(self._root), run)
        key = (record["id"], record["state"])
        with self._lock:
            if key in self._made:
                self._made.move_to_end(key)
                return self._made[key]
        with IMPORTING:
            from pipeline import report, report_page, report_results
            from pipeline.lineage import read_run
            from pipeline.report_data import report_data
            from pipeline.run_paths import run_paths_in
        where = run_paths_in(Path(record["home"]))
        data = report_data(where, read_run(where, record["id"]))
        sections = (
            ("gates", "Gates", report_results.gates(data.metrics)),
            ("accounts", "Row accounting", report_page.accounts(data.accounts)),
            ("days", "Rows by day", report_page.rows_by_day(data.days, data.summary)),
        )
        parts = "".join(f'<section id="{key}"><h2>{title}</h2>{inner}</section>' for key, title, inner in sections)
        made = Made(report.page(data), parts)
        if record["state"] != RUNNING:
            with self._lock:
                self._made[key] = made
                while len(self._made) > KEPT:
                    self._made.popitem(last=False)
        return made
