"""Runs the pipeline on this machine with the TFX LocalDagRunner."""

from __future__ import annotations

import contextlib
import datetime
import logging
from collections.abc import Callable, Iterator

from absl import logging as absl_logging
from apache_beam.runners.runner import create_runner
from tfx.dsl.compiler.constants import PIPELINE_RUN_ID_PARAMETER_NAME
from tfx.orchestration.local.local_dag_runner import LocalDagRunner
from tfx.orchestration.pipeline import Pipeline
from tfx.orchestration.portable.runtime_parameter_utils import substitute_runtime_parameter
from tfx.proto.orchestration.pipeline_pb2 import Pipeline as PipelineProto
from tfx.proto.orchestration.pipeline_pb2 import RunOptions

from models.recipe.beam import runner_path
from models.recipe.errors import InputError
from models.recipe.recipe import Recipe
from pipeline.dag import create_pipeline
from pipeline.lineage import Run, read_run
from pipeline.local_platform import LocalPlatform
from pipeline.machine_faults import machine_faults_told
from pipeline.metadata_file import check_metadata
from pipeline.platforms import Platform
from pipeline.progress import Progress, Silence
from pipeline.run_lock import alone
from pipeline.run_paths import RunPaths
from pipeline.spare_memory import few_arenas, give_back, imports_aside

PACKAGES = ("models", "components")


def run_pipeline(
    recipe: Recipe,
    paths: RunPaths,
    progress: Progress | None = None,
    *,
    run: str | None = None,
    push: bool = True,
    assemble: Callable[[Recipe, Platform], Pipeline] = create_pipeline,
) -> Run:
    """Runs every stage that is not cached, and returns the run's outputs.

    Args:
        recipe: a checked recipe.
        paths: folders of the run's outputs.
        progress: receives the start, the end and the messages of each stage.
        run: id of the run, its name in ML Metadata. None: the time of its start.
        push: whether a blessed model is pushed.
        assemble: makes the pipeline; by default all stages.

    Raises:
        InputError: another run uses the same folder, the logs are refused, Beam has no such runner, the metadata store
            cannot be used, or the machine is at fault (see `machine_faults`).
    """
    _check_runner(recipe.beam.runner)
    few_arenas()
    busy = f"{paths.home}: another run is in progress here. Wait until it ends, or choose another --root."
    with machine_faults_told(), alone(paths.home, busy), _messages_to(progress or Silence()), imports_aside():
        check_metadata(paths.metadata)
        pipeline = assemble(recipe, LocalPlatform(paths, push))
        run = run or datetime.datetime.now(datetime.UTC).isoformat()
        _Runner(run).run(pipeline)
    return read_run(paths, run)


class _Runner(LocalDagRunner):
    """The stock runner, which names a run in ML Metadata by its local time, with a given name."""

    def __init__(self, run: str) -> None:
        super().__init__()
        self._run = run

    def run_with_ir(self, pipeline: PipelineProto, run_options: RunOptions | None = None) -> None:
        """See `LocalDagRunner`. Its own substitution of the run's name then finds nothing left to substitute."""
        substitute_runtime_parameter(pipeline, {PIPELINE_RUN_ID_PARAMETER_NAME: self._run})
        super().run_with_ir(pipeline, run_options)


def _check_runner(name: str) -> None:
    try:
        create_runner(runner_path(name))
    except (ValueError, ImportError, AttributeError) as error:
        raise InputError(f"beam.runner: {name}: {error} To run on this machine, remove the key.") from None


@contextlib.contextmanager
def _messages_to(progress: Progress) -> Iterator[None]:
    """Forwards log records to `progress`. LocalDagRunner reports the start and end of a stage only in its log."""

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.msg == "Component %s is running." and isinstance(record.args, tuple):
                progress.started(str(record.args[0]))
            elif record.msg == "Component %s is finished." and isinstance(record.args, tuple):
                # All stages run in this process. Without this, memory that finished stages left would add to the peak.
                give_back()
                progress.finished(str(record.args[0]))
            elif record.name.split(".")[0] in PACKAGES:
                progress.said(record.getMessage())

    # Set the verbosity through absl, not on the logger: TensorFlow saves and restores absl's value around every export.
    verbosity, handler = absl_logging.get_verbosity(), Handler(logging.INFO)
    absl_logging.set_verbosity(absl_logging.INFO)
    ours = [logging.getLogger(name) for name in PACKAGES]
    for logger in ours:
        logger.setLevel(logging.INFO)
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)
        for logger in ours:
            logger.setLevel(logging.NOTSET)
        absl_logging.set_verbosity(verbosity)
