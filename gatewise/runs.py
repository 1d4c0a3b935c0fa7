"""Runs and their results as data frames."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.recipe.errors import InputError
from models.recipe.registry import lookup
from pipeline.run_paths import RunPaths, run_paths_in
from pipeline.run_records import Record, find, outcome, read_records

if TYPE_CHECKING:
    import pandas as pd

NEWEST = "newest"
ALL = "all"
"""Value of the column `slice` for the whole eval split."""

_NOT_METRICS = ("slice", "task", "intervals", "few")
_SERVING = "Format-Serving"


class Run:
    """A run that has ended, or is in progress. The data frames are read when they are asked for.

    Attributes:
        record: its record, a dict (docs/runs.md).
    """

    def __init__(self, record: Record) -> None:
        self.record: Mapping[str, Any] = record

    @property
    def id(self) -> str:
        """Id of the run, as `gatewise runs` shows it."""
        return str(self.record["id"])

    @property
    def outcome(self) -> str:
        """ "pushed", "already pushed", "blessed", "not blessed", "failed", "interrupted", "killed" or "running" (docs/runs.md)."""
        return outcome(self.record)

    @property
    def version(self) -> int | None:
        """Number of the pushed version of its model, also if an earlier run pushed it; None if it is not pushed."""
        serving = self.record.get("serving")
        return int(Path(serving).name) if serving else None

    @property
    def model(self) -> Path:
        """Folder of its exported model: the pushed version, or that of an experiment.

        Raises:
            InputError: the run has no model, or it was removed.
        """
        trained = self.record.get("model")
        folders = [self.record.get("serving"), Path(trained) / _SERVING if trained else None]
        for folder in (Path(one) for one in folders if one):
            if (folder / "saved_model.pb").is_file():
                return folder
        raise self._lacks("exported model")

    @property
    def metrics(self) -> pd.DataFrame:
        """The metrics on the eval split: columns `task`, `metric`, `slice`, `value`, `lower`, `upper`.

        `slice` is "all" for the whole split, otherwise such as "device=phone". `lower` and `upper` are the 95 % interval, NaN if there
        is none.

        Raises:
            InputError: the run was not evaluated.

        Example:
            run.metrics.query("slice == 'all'").pivot(index="metric", columns="task", values="value")
        """
        import pandas as pd

        found = self._evaluation()
        rows = list(_rows(found["tasks"], found.get("intervals") or {}))
        for one in found.get("slices") or []:
            task = one["task"]
            values = {name: value for name, value in one.items() if name not in _NOT_METRICS}
            rows += _rows({task: values}, {task: one.get("intervals") or {}}, _slice(one["slice"]))
        made = pd.DataFrame(rows, columns=["task", "metric", "slice", "value", "lower", "upper"])
        return made.astype(dict.fromkeys(("value", "lower", "upper"), "float64"))

    @property
    def gates(self) -> pd.DataFrame:
        """The gates: columns `model` ("ranker" or "retrieval"), `task`, `metric`, `slice`, `limit`, `value`, `held`, `message`.

        A fault that the probe found is a row whose `metric` is "probe".

        Raises:
            InputError: the run was not evaluated.
        """
        import pandas as pd

        rows = [{**gate, "model": "ranker", "slice": _slice(gate.get("slice"))} for gate in self._evaluation()["gates"]]
        for message in self.record.get("failed_gates") or []:
            if message.startswith("probe: "):
                rows.append({"model": "ranker", "metric": "probe", "slice": ALL, "held": False, "message": message})
        for gate in (self.record.get("retrieval") or {}).get("gates", []):
            rows.append({**gate, "model": "retrieval", "slice": ALL})
        columns = ["model", "task", "metric", "slice", "limit", "value", "held", "message"]
        made = pd.DataFrame(rows, columns=columns).astype({"value": "float64"})
        return made.assign(task=made["task"].fillna(""), limit=made["limit"].fillna(""))

    @property
    def accounts(self) -> pd.DataFrame:
        """What happened to the rows of each stream: a row for each stream, columns `read`, `used` and the losses (docs/logs.md).

        Raises:
            InputError: the run has not read its logs.
        """
        import pandas as pd

        found = self._logs("accounts.json")
        return pd.DataFrame.from_dict(found, orient="index").rename_axis("stream").fillna(0).astype("int64")

    @property
    def days(self) -> pd.DataFrame:
        """Rows of each stream by day in UTC, or by hour if the impressions span less than four days. Streams without a time are absent.

        Raises:
            InputError: the run has not read its logs.
        """
        import pandas as pd

        found = self._logs("days.json")["rows"]
        made = pd.DataFrame(found).fillna(0).astype("int64")
        made.index = pd.to_datetime(made.index, utc=True)
        return made.sort_index().rename_axis("day")

    def predictions(self) -> pd.DataFrame:
        """The eval predictions: a row for each eval example, with its id, groups and slices, and label, weight and prediction of each task.

        Raises:
            InputError: the run has no predictions, or they were removed.

        Example:
            run.predictions()[["label/click", "prediction/click"]].mean()
        """
        import polars as pl

        from gatewise.frames import to_pandas

        folder = Path(self.record.get("predictions") or "/nonexistent")
        files = sorted(folder.glob("*.parquet"))
        if not files:
            raise self._lacks("eval predictions")
        return to_pandas(pl.read_parquet(files))

    def examples(self, split: str = "eval") -> pd.DataFrame:
        """The examples of a split, with their labels and weights, before the features are transformed.

        Only multi-valued columns have lists. `gatewise/event_time` is a time in UTC.

        Args:
            split: "train", "validate" or "eval".

        Raises:
            InputError: the split is unknown, or the run has no examples.

        Example:
            run.examples("train").groupby("device")["label/click"].mean()
        """
        import polars as pl

        from components.example_schema import SPLITS
        from gatewise.frames import to_pandas
        from pipeline.plain_examples import list_columns, plain

        lookup(split, dict.fromkeys(SPLITS), "split", "examples")
        files = sorted((self._examples_folder() / f"Split-{split}").glob("*.parquet"))
        if not files:
            raise self._lacks(f"examples in the split {split!r}")
        return to_pandas(plain(pl.scan_parquet(files, glob=False), list_columns(self.record["resolved"])).collect())

    def report(self, path: str | Path | None = None) -> Path:
        """Writes the report, one HTML page.

        Args:
            path: output file. By default the pages in the run's folder, as `gatewise report` writes them.

        Returns:
            The page.

        Raises:
            InputError: the run ended before its first stage, or the page cannot be written.
        """
        from pipeline.report_data import write_reports

        return write_reports(self._where.home, None if path is None else Path(path), self.id)[0]

    def __repr__(self) -> str:
        return f"Run({self.id}: {self.record['recipe']}, {self.outcome})"

    @property
    def _where(self) -> RunPaths:
        return run_paths_in(Path(self.record["home"]))

    def _evaluation(self) -> dict[str, Any]:
        folder = self.record.get("evaluation")
        file = Path(folder or "/nonexistent") / "metrics.json"
        if not file.is_file():
            raise self._lacks("metrics")
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return found

    def _logs(self, name: str) -> dict[str, Any]:
        file = self._examples_folder() / name
        if not file.is_file():
            raise self._lacks("row accounting")
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return found

    def _examples_folder(self) -> Path:
        from pipeline.lineage import read_run

        folder = read_run(self._where, self.id).artifacts.get("EventLogs.examples")
        if folder is None:
            raise self._lacks("examples")
        return folder

    def _lacks(self, what: str) -> InputError:
        error = self.record.get("error")
        why = f" It ended with: {error}" if error else " Its artifacts may have been removed; run the recipe again."
        return InputError(f"run {self.id} ({self.outcome}): has no {what}.{why}")


def load_run(root: str | Path = "runs", run: str = NEWEST) -> Run:
    """A run by its record.

    Args:
        root: the root of runs, or one recipe's folder in it.
        run: id of the run, or an unambiguous beginning of one. "newest": the run that started last, whatever its outcome.

    Raises:
        InputError: there is no such run.

    Example:
        gatewise.load_run("runs").metrics
    """
    records = read_records(Path(root))
    return Run(records[0] if run == NEWEST else find(records, run))


def _rows(
    tasks: Mapping[str, Mapping[str, Any]], intervals: Mapping[str, Mapping[str, Any]], name: str = ALL
) -> Iterator[dict[str, Any]]:
    for task, metrics in tasks.items():
        for metric, value in metrics.items():
            bounds = (intervals.get(task) or {}).get(metric) or {}
            yield {
                "task": task,
                "metric": metric,
                "slice": name,
                "value": value,
                "lower": bounds.get("lower"),
                "upper": bounds.get("upper"),
            }


def _slice(values: Mapping[str, Any] | None) -> str:
    return ", ".join(f"{column}={value}" for column, value in values.items()) if values else ALL
