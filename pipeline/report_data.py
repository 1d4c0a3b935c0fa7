"""Reads the outputs of the last run of each recipe under a root, and writes its report."""

from __future__ import annotations

import datetime
from importlib.metadata import version
from pathlib import Path

from models.recipe.errors import InputError
from pipeline.lineage import last_run
from pipeline.report import ReportData, write_report
from pipeline.run_paths import RunPaths, run_paths_in
from pipeline.summary import summarise


def write_reports(root: Path, out: Path | None = None) -> list[Path]:
    """Writes one report for each recipe that was run under `root`.

    Args:
        root: the --root of runs, or ROOT/RECIPE.
        out: output file, for a single recipe. Default: report.html in the recipe's folder.

    Raises:
        InputError: `root` has no run, or `out` is set and `root` has several recipes.
    """
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
    return [write_report(report_data(run_paths_in(home)), out or home / "report.html") for home in homes]


def report_data(where: RunPaths) -> ReportData:
    """The report's data for the last run in a recipe's folder."""
    run = last_run(where)
    summary = summarise(run)
    trainer = run.artifacts.get("Trainer.model_run")
    made = datetime.datetime.fromtimestamp(where.metadata.stat().st_mtime, datetime.UTC)
    return ReportData(
        recipe=where.home.name,
        accounts=summary["accounts"] or None,
        summary=run.read_json("EventLogs.examples", "summary.json"),
        days=run.read_json("EventLogs.examples", "days.json"),
        metrics=run.read_json("Evaluator.evaluation", "metrics.json"),
        history=run.read_json("Trainer.model_run", "history.json"),
        gates=run.read_json("Trainer.model_run", "gates.json"),
        retrieval=summary["retrieval"],
        run={
            **summary,
            "blessed": summary["blessed"] if "Evaluator.blessing" in run.artifacts else None,
            "pushed": summary["serving"],
        },
        about={
            "run": f"{made:%Y-%m-%d %H:%M} UTC",
            "folder": str(where.home),
            "training logs (TensorBoard)": str(trainer) if trainer else "none",
            "versions": ", ".join(
                f"{name} {version(name)}" for name in ("gatewise", "tfx", "tensorflow", "keras", "apache-beam")
            ),
        },
    )
