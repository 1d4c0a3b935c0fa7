"""The resolver of a blessed teacher: a model that was blessed before the examples, so that a second run on them stays cached."""

import contextlib
from pathlib import Path

from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.orchestration import metadata, pipeline
from tfx.orchestration.local import local_dag_runner
from tfx.types import standard_artifacts

from components.evaluation.baseline import baseline_model_resolver


@component
def MakeExamples(examples: OutputArtifact[standard_artifacts.Examples], day: Parameter[str]):
    Path(examples.uri, "day").write_text(day)


@component
def MakeModel(
    examples: InputArtifact[standard_artifacts.Examples],
    model: OutputArtifact[standard_artifacts.Model],
    name: Parameter[str],
    notes: Parameter[str],
    teacher: InputArtifact[standard_artifacts.Model] = None,
):
    Path(model.uri, "name").write_text(name)
    with open(notes, "a", encoding="utf-8") as file:
        file.write(f"{name} learns from {Path(teacher.uri, 'name').read_text() if teacher else None}\n")


@component
def Bless(
    model: InputArtifact[standard_artifacts.Model],
    blessing: OutputArtifact[standard_artifacts.ModelBlessing],
    blessed: Parameter[int],
):
    blessing.set_int_custom_property("current_model_id", model.id)
    blessing.set_int_custom_property("blessed", blessed)


def test_the_teacher_is_older_than_the_examples(tmp_path: Path) -> None:
    notes = tmp_path / "notes"

    def run(day: str, name: str, blessed: int = 1) -> str:
        """Who learned from whom; "" if the training comes from the cache."""
        with contextlib.suppress(FileNotFoundError):
            notes.unlink()
        examples = MakeExamples(day=day)
        found = baseline_model_resolver(examples.outputs["examples"], "teacher_model", "Trainer")
        model = MakeModel(
            examples=examples.outputs["examples"],
            teacher=found.outputs["baseline_model"],
            name=name,
            notes=str(notes),
        ).with_id("Trainer")
        local_dag_runner.LocalDagRunner().run(
            pipeline.Pipeline(
                pipeline_name="shop",
                pipeline_root=str(tmp_path / "artifacts"),
                components=[examples, found, model, Bless(model=model.outputs["model"], blessed=blessed)],
                enable_cache=True,
                metadata_connection_config=metadata.sqlite_metadata_connection_config(
                    str(tmp_path / "metadata.sqlite")
                ),
            )
        )
        return notes.read_text().strip() if notes.exists() else ""

    assert run("day 1", "a") == "a learns from None"
    assert run("day 1", "a") == "", "though a blessed model exists by now"
    assert run("day 1", "b") == "b learns from None", "other options on the same examples: the same teacher"
    assert run("day 2", "c", blessed=0) == "c learns from b"
    assert run("day 2", "c", blessed=0) == ""
    assert run("day 3", "d") == "d learns from b", "c was not blessed"
