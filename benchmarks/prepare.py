"""Inputs of benchmarks, created in separate processes and cached: logs, examples, a model, CSV.

The cache key of an input covers all that it depends on, including the sources of our stages. Outdated inputs are
recreated.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks import measure
from benchmarks.measure import Subject
from pipeline.code_version import code_version

HERE = Path(__file__).parent
RECIPE = HERE / "wide.yaml"
OURS = "benchmarks.stages.ours"
NO_COMPILATION = "training.jit_compile=false"

# Each stage with its artifacts, in the order of the data. Only what later stages read is ever prepared.
ARTIFACTS = {
    "event_logs": ("examples",),
    "features": ("transform_graph", "transformed_examples"),
    "trainer": ("model", "model_run"),
}
_CODE = {
    "event_logs": "components.event_logs.executor",
    "features": "components.features.executor",
    "trainer": "models.training.trainer",
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Inputs:
    """The inputs of benchmarks over the same rows.

    Attributes:
        work: folder for everything.
        rows: impressions.
        seed: of the logs.
        skew: one user has 5% of the impressions.
        recipe: over the wide logs; with a few of their features, say.
        overrides: of the recipe, as `load_recipe` takes them.
        say: hears of what is being made.
    """

    work: Path
    rows: int
    seed: int
    skew: bool = False
    recipe: Path = RECIPE
    overrides: tuple[str, ...] = ()
    say: Callable[[str], object] = lambda message: None

    @property
    def name(self) -> str:
        """Of the folders."""
        return f"{self.rows}-{self.seed}" + ("-skew" if self.skew else "")

    def logs(self) -> Path:
        """The folder of the wide logs."""
        folder = self.work.resolve() / f"logs-{self.name}"
        question = {"rows": self.rows, "seed": self.seed, "skew": self.skew}
        key = [question, _digest(HERE / "wide_logs.py")]
        subject = Subject(name="wide logs", module="benchmarks.stages.logs", question=question)
        self._make(folder, "logs", key, subject, remove=[folder])
        return folder

    def upto(self, stage: str) -> Path:
        """The folder in which all artifacts lie that the stages up to this one write, each under its name."""
        key: list[Any] = [self.name, _digest(HERE / "wide_logs.py"), _digest(self.recipe), *self.overrides]
        folder = self.work.resolve() / f"inputs-{self.name}-{_short(key)}"
        for name, artifacts in ARTIFACTS.items():
            key = [*key, code_version(_CODE[name])]
            self._make(folder, name, key, self.ours(name, folder), remove=[folder / made for made in artifacts])
            if name == stage:
                return folder
        raise ValueError(f"unknown stage {stage!r}; there are {list(ARTIFACTS)}")

    def labelled(self, rows: int) -> Path:
        """The folder of a CSV file with so many of the examples, and of its recipe."""
        inputs = self.upto("event_logs")
        folder = inputs / f"labelled-{rows}"
        key = [(inputs / ".event_logs.key").read_text(encoding="utf-8"), _digest(HERE / "stages" / "labelled.py")]
        question = {"inputs": str(inputs), "recipe": str(self.recipe.resolve()), "rows": rows}
        subject = Subject(name="CSV", module="benchmarks.stages.labelled", question=question)
        self._make(folder, "labelled", key, subject, remove=[folder])
        return folder

    def tfrecords(self, what: str, rows: int) -> Path:
        """The folder of so many of our examples as TFRecords, in `tfrecords`: `raw` ones, or `transformed` ones."""
        inputs = self.upto("features")
        folder = inputs / f"{what}-{rows}"
        keys = [(inputs / f".{name}.key").read_text(encoding="utf-8") for name in ("event_logs", "features")]
        question = {"inputs": str(inputs), "what": what, "rows": rows}
        subject = Subject(name=f"{what} TFRecords", module="benchmarks.stock.tfrecords", question=question)
        self._make(folder, what, [*keys, _digest(HERE / "stock" / "tfrecords.py")], subject, remove=[folder])
        return folder

    def ours(self, stage: str, inputs: Path, name: str = "") -> Subject:
        """One of our stages, reading from `inputs`."""
        question = {
            "stages": [stage],
            "recipe": str(self.recipe.resolve()),
            # Compilation pays only in a training longer than the one that is needed here.
            "overrides": [*self.overrides, *([NO_COMPILATION] if stage == "trainer" else [])],
            "data": str(self.work.resolve() / f"logs-{self.name}"),
            "inputs": str(inputs),
        }
        return Subject(name=name or f"{stage}, ours", module=OURS, question=question)

    def _make(self, folder: Path, what: str, key: list[Any], subject: Subject, remove: Sequence[Path]) -> None:
        marker, text = folder / f".{what}.key", json.dumps(key)
        if marker.is_file() and marker.read_text(encoding="utf-8") == text:
            return
        if what == "event_logs":
            self.logs()
        for old in remove:
            shutil.rmtree(old, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
        self.say(f"preparing: {subject.name}, {self.rows:,} impressions")
        measure.fresh(subject, folder)
        marker.write_text(text, encoding="utf-8")


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def _short(key: Sequence[Any]) -> str:
    return hashlib.sha256(json.dumps(key).encode()).hexdigest()[:8]
