"""What BaselineModel and BaselineStatistics give the next stage, with and without an earlier run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tfx import types
from tfx.types import standard_artifacts

from components.baselines.executor import BaselineModelExecutor, BaselineStatisticsExecutor, newest_before
from components.baselines.kept_statistics import keep


@pytest.fixture
def candidate(tmp_path: Path) -> types.Artifact:
    folder = tmp_path / "model" / "Format-Serving"
    (folder / "assets.extra").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"candidate")
    (folder / "assets.extra" / "inputs.json").write_text(json.dumps({"exported_at": 1600000000}))
    artifact = standard_artifacts.Model()
    artifact.uri = str(folder.parent)
    return artifact


def run(executor: type, kind: type[types.Artifact], key: str, given: types.Artifact, tmp_path: Path, **properties: str):
    output = kind()
    output.uri = str(tmp_path / "output")
    executor().Do({"candidate": [given]}, {key: [output]}, properties)
    return output


def test_the_pushed_model_before_the_candidate(candidate: types.Artifact, tmp_path: Path) -> None:
    for name in ("1500000000", "1600000000"):
        (tmp_path / "served" / name).mkdir(parents=True)
        (tmp_path / "served" / name / "saved_model.pb").write_text(name)
    served = str(tmp_path / "served")
    output = run(BaselineModelExecutor, standard_artifacts.Model, "baseline_model", candidate, tmp_path, served=served)
    assert output.get_int_custom_property("found") == 1
    assert Path(output.uri, "Format-Serving", "saved_model.pb").read_text() == "1500000000"


def test_no_model_before_the_candidate(candidate: types.Artifact, tmp_path: Path) -> None:
    served = str(tmp_path / "nowhere")
    output = run(BaselineModelExecutor, standard_artifacts.Model, "baseline_model", candidate, tmp_path, served=served)
    assert output.has_custom_property("found") and output.get_int_custom_property("found") == 0
    assert [path.name for path in Path(output.uri).iterdir()] == ["baseline.json"]
    assert json.loads(Path(output.uri, "baseline.json").read_text())["found"] is None


def test_the_statistics_kept_last(tmp_path: Path) -> None:
    (tmp_path / "statistics" / "Split-train").mkdir(parents=True)
    (tmp_path / "statistics" / "Split-train" / "FeatureStats.pb").write_text("good")
    keep(tmp_path / "statistics", tmp_path / "kept", {"split_names": '["train"]', "span": 3})
    given, kept = standard_artifacts.ExampleStatistics(), str(tmp_path / "kept")
    arguments = (BaselineStatisticsExecutor, standard_artifacts.ExampleStatistics, "baseline_statistics")
    output = run(*arguments, given, tmp_path, kept=kept)
    assert (output.split_names, output.span, output.get_int_custom_property("found")) == ('["train"]', 3, 1)
    assert Path(output.uri, "Split-train", "FeatureStats.pb").read_text() == "good"


def test_no_statistics_yet(tmp_path: Path) -> None:
    arguments = (BaselineStatisticsExecutor, standard_artifacts.ExampleStatistics, "baseline_statistics")
    output = run(*arguments, standard_artifacts.ExampleStatistics(), tmp_path, kept=str(tmp_path / "kept"))
    assert output.has_custom_property("found") and output.get_int_custom_property("found") == 0


def version(served: Path, name: str, whole: bool = True) -> Path:
    (served / name).mkdir(parents=True)
    if whole:
        (served / name / "saved_model.pb").touch()
    return served / name


def test_the_newest_whole_version_older_than_the_candidate(tmp_path: Path) -> None:
    served = tmp_path / "served"
    assert newest_before(served, 1000) is None
    version(served, "99")
    expected = version(served, "500")
    version(served, "600", whole=False)
    version(served, ".700.tmp")
    version(served, "notes")
    version(served, "1000")
    version(served, "2000")
    assert newest_before(served, 1000) == expected
    assert newest_before(served, 99) is None
    assert newest_before(served, 5000) == served / "2000"


def test_the_statistics_of_the_same_weekday(tmp_path: Path) -> None:
    (tmp_path / "statistics" / "Split-train").mkdir(parents=True)
    for span in (3, 9):
        (tmp_path / "statistics" / "Split-train" / "FeatureStats.pb").write_text(f"day {span}")
        keep(tmp_path / "statistics", tmp_path / "kept", {"split_names": '["train"]', "span": span})
    given, kept = standard_artifacts.ExampleStatistics(), str(tmp_path / "kept")
    given.span = 10
    output = standard_artifacts.ExampleStatistics()
    output.uri = str(tmp_path / "output")
    BaselineStatisticsExecutor().Do(
        {"candidate": [given]}, {"baseline_statistics": [output]}, {"kept": kept, "every": 7}
    )
    assert output.span == 3 and Path(output.uri, "Split-train", "FeatureStats.pb").read_text() == "day 3"
