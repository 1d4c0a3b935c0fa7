"""Reads the outputs of a run, or of the last run of each recipe under a root, and writes its report."""

from __future__ import annotations

import datetime
from importlib.metadata import version
from pathlib import Path

from models.recipe.errors import InputError
from pipeline.lineage import Run, read_run
from pipeline.night_list import NightSeen, nights_of
from pipeline.output import write_output
from pipeline.report import ReportData, write_report
from pipeline.run_paths import RunPaths, run_paths_in
from pipeline.run_records import Record, find, outcome, read_record, read_records
from pipeline.summary import summarise


def write_reports(root: Path, out: Path | None = None, run: str | None = None) -> list[Path]:
    """Writes the report of a run, or one for the last run of each recipe under `root`.

    Each run has a page of its own, `reports/RUN.html` in its recipe's folder. `report.html` beside it is a copy of the newest run's.

    Args:
        root: the --root of runs, or ROOT/RECIPE.
        out: output file in place of these, for a single recipe.
        run: id of the run, or an unambiguous beginning of one. None: the last run of each recipe.

    Returns:
        The pages: report.html for the newest run of a recipe, else the run's own.

    Raises:
        InputError: `root` has no run or not this one, or `out` is set and `root` has several recipes.
    """
    if run is not None:
        record = find(read_records(root), run)
        return [_write(run_paths_in(Path(record["home"])), out, record["id"])]
    homes = (
        [root]
        if (root / "metadata.sqlite").is_file()
        else sorted(path.parent for path in root.glob("*/metadata.sqlite"))
    )
    if not homes:
        raise InputError(f"{root}: no run found; expected the --root of `gatewise run`, or a recipe's folder in it.")
    if out is not None and len(homes) > 1:
        names = ", ".join(home.name for home in homes)
        raise InputError(f"{root}: contains several recipes ({names}), but --out names one file. Pass ROOT/RECIPE.")
    return [_write(run_paths_in(home), out) for home in homes]


def _write(where: RunPaths, out: Path | None, run: str | None = None) -> Path:
    chosen = read_run(where, run)
    data = report_data(where, chosen)
    if out is not None:
        return write_report(data, out)
    page = write_report(data, where.home / "reports" / f"{chosen.id.replace(':', '-')}.html")
    if run is not None and read_run(where).id != chosen.id:
        return page
    newest = where.home / "report.html"
    write_output(newest, page.read_text(encoding="utf-8"))
    return newest


def report_data(where: RunPaths, run: Run) -> ReportData:
    """The report's data for a run in a recipe's folder."""
    summary = summarise(run)
    trainer = run.artifacts.get("Trainer.model_run")
    record = read_record(where.logs / f"{run.id}.json")
    started = f"{datetime.datetime.fromtimestamp(run.begun, datetime.UTC):%Y-%m-%d %H:%M} UTC"
    changes = _changes(record)
    return ReportData(
        recipe=where.home.name,
        description=f"Run {run.id}, {started}. {changes}",
        accounts=summary["accounts"] or None,
        summary=run.read_json("EventLogs.examples", "summary.json"),
        days=run.read_json("EventLogs.examples", "days.json"),
        metrics=run.read_json("Evaluator.evaluation", "metrics.json"),
        history=run.read_json("Trainer.model_run", "history.json"),
        gates=run.read_json("Trainer.model_run", "gates.json"),
        experts=run.read_json("Trainer.model_run", "experts.json"),
        importance=run.read_json("Trainer.model_run", "importance.json"),
        nights=_nights(where, record),
        retrieval=summary["retrieval"],
        run={
            **summary,
            "blessed": summary["blessed"] if "Evaluator.blessing" in run.artifacts else None,
            "pushed": summary["serving"],
        },
        about={
            "run": f"{run.id}, {started}",
            **({"outcome": outcome(record), "recipe file": record["file"]} if record else {}),
            "folder": str(where.home),
            "TensorBoard": f"tensorboard --logdir {where.tensorboard}"
            if where.tensorboard.is_dir()
            else str(trainer or "none"),
            "versions": ", ".join(
                f"{name} {version(name)}" for name in ("gatewise", "tfx", "tensorflow", "keras", "apache-beam")
            ),
        },
    )


def _nights(where: RunPaths, record: Record | None) -> list[NightSeen]:
    """The nights of the recipe up to that of a run; [] if it is not one of them."""
    resolved = (record or {}).get("resolved") or {}
    day = (resolved.get("logs") or {}).get("day")
    if day is None or (resolved.get("training") or {}).get("start") != "warm":
        return []
    return nights_of(read_records(where.home), day)


def _changes(record: Record | None) -> str:
    """What the options of the run changed in the recipe."""
    if record is None:
        return ""
    options = [f"--set {override}" for override in record["overrides"]]
    options += [f"--data {record['data_option']}"] if record["data_option"] else []
    options += [] if record["push"] else ["--no-push"]
    return f"Options: {' '.join(options)}" if options else "The recipe as it is in its file."
