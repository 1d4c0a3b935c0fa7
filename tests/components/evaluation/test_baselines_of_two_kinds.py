"""Two kinds of models in one pipeline: each resolver finds those of its own stage only."""

import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest
from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.orchestration import metadata, pipeline
from tfx.orchestration.local import local_dag_runner
from tfx.types import standard_artifacts

from components.evaluation.baseline import baseline_model_resolver


@component
def MakeModel(model: OutputArtifact[standard_artifacts.Model], content: Parameter[str]):
    Path(model.uri, "content").write_text(content)


@component
def Compare(
    model: InputArtifact[standard_artifacts.Model],
    blessing: OutputArtifact[standard_artifacts.ModelBlessing],
    notes: Parameter[str],
    baseline_model: InputArtifact[standard_artifacts.Model] = None,
):
    """Blesses every model, and notes which one it is compared with."""
    blessing.set_int_custom_property("current_model_id", model.id)
    blessing.set_int_custom_property("blessed", 1)
    content, older = (Path(one.uri, "content").read_text() if one else None for one in (model, baseline_model))
    with open(notes, "a", encoding="utf-8") as file:
        file.write(f"{content} after {older}\n")


@pytest.fixture
def run(tmp_path: Path) -> Callable[[str, str], set[str]]:
    connection = metadata.sqlite_metadata_connection_config(str(tmp_path / "metadata.sqlite"))
    notes = tmp_path / "notes"

    def run(ranker: str, retrieval: str) -> set[str]:
        """What was compared with what in a run; what comes from the cache is not compared again."""
        with contextlib.suppress(FileNotFoundError):
            notes.unlink()
        rankers = MakeModel(content=ranker).with_id("Trainer")
        retrievals = MakeModel(content=retrieval).with_id("RetrievalTrainer")
        nodes = [rankers, retrievals]
        for maker, resolver in ((rankers, "baseline_model"), (retrievals, "retrieval_baseline")):
            model = maker.outputs["model"]
            baseline = baseline_model_resolver(model, resolver)
            compare = Compare(model=model, baseline_model=baseline.outputs["baseline_model"], notes=str(notes))
            nodes += [baseline, compare.with_id(f"Compare{maker.id}")]
        local_dag_runner.LocalDagRunner().run(
            pipeline.Pipeline(
                pipeline_name="shop",
                pipeline_root=str(tmp_path / "artifacts"),
                components=nodes,
                enable_cache=True,
                metadata_connection_config=connection,
            )
        )
        return set(notes.read_text().splitlines()) if notes.exists() else set()

    return run


def test_each_is_compared_with_the_newest_older_one_of_its_own_kind(run: Callable[[str, str], set[str]]) -> None:
    assert run("ranker 1", "towers 1") == {"ranker 1 after None", "towers 1 after None"}
    assert run("ranker 1", "towers 1") == set()
    # The newest blessed model before this ranker is the towers, and the other way round one run later.
    assert run("ranker 2", "towers 1") == {"ranker 2 after ranker 1"}
    assert run("ranker 2", "towers 2") == {"towers 2 after towers 1"}
    assert run("ranker 3", "towers 3") == {"ranker 3 after ranker 2", "towers 3 after towers 2"}
