"""The command of every step on Kubeflow: `python3 -m pipeline.kubeflow.entrypoint`, with the arguments that TFX compiles.

It adds what TFX's entrypoint lacks on open-source Kubeflow: types and paths of artifacts, runtime parameters and output
folders. It writes its output file last and atomically, and logs JSON lines. It exits with 1 and one message if the user must
act, with 3 if a retry may succeed, and with 3 and a traceback if gatewise has a defect.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import logging
import os
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from models.files.whole_file import write_whole
from models.recipe.errors import GatewiseError, masked
from pipeline.kubeflow.json_log import log_as_json
from pipeline.machine_faults import machine_faults_told
from pipeline.termination import TERMINATED, sigterm_interrupts

logger = logging.getLogger("pipeline.kubeflow.entrypoint")  # __name__ is __main__ if run as the command

IN_THE_POD = ("fnapi", "direct", "bundlebaseddirect", "switchingdirect", "prism")
"""Runners of one machine. Beam compares their names without case, with or without "Runner"."""

CRASHED = 3
MOUNT_ROOT = "GATEWISE_MOUNT_ROOT"
"""Environment variable with the parent of the launcher's folders (s3, gcs, minio), if it is not the pod's root."""

TERMINATION_LOG = Path("/dev/termination-log")
"""`kubectl describe pod` shows the content of this file as the pod's status. Kubernetes creates it."""


def main(arguments: list[str] | None = None) -> int:
    """Runs one step.

    Args:
        arguments: arguments of the compiled file with Kubeflow's placeholders filled. Unknown arguments go to Beam.

    Returns:
        The exit code: 0 done, 1 the user must act, 3 a defect or no verdict on a model, 143 stopped by SIGTERM.
    """
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--stage", required=True)
    parser.add_argument("--executor_class_path", required=True)
    parser.add_argument("--json_serialized_invocation_args", required=True)
    parser.add_argument("--json_serialized_inputs_spec_args", required=True)
    options, beam_arguments = parser.parse_known_args(arguments)
    log_as_json(options.stage)
    begin = time.perf_counter()
    try:
        with sigterm_interrupts(), machine_faults_told():
            facts = run(
                options.stage,
                options.executor_class_path,
                options.json_serialized_invocation_args,
                options.json_serialized_inputs_spec_args,
                beam_arguments,
            )
    except KeyboardInterrupt:
        return _failed(options.stage, "stopped by SIGTERM: the run was deleted, or the pod was evicted.", TERMINATED)
    except GatewiseError as error:
        return _failed(options.stage, str(error), error.exit_code)
    except Exception as error:
        logger.exception("A defect of gatewise or of the cluster.")
        return _failed(options.stage, f"crashed: {type(error).__name__}: {error}", CRASHED)
    seconds = round(time.perf_counter() - begin, 3)
    logger.info("%s is done.", options.stage, extra={"facts": {**facts, "seconds": seconds}})
    return 0


def run(
    stage: str, executor_class: str, invocation: str, inputs_spec: str, beam_arguments: list[str]
) -> dict[str, Any]:
    """Runs the executor and writes the output file.

    Args:
        stage: name of the step.
        executor_class: dotted path of a TFX executor.
        invocation: JSON of Kubeflow's ExecutorInput.
        inputs_spec: JSON of the component's ComponentInputsSpec.
        beam_arguments: flags of Beam's pipelines.

    Returns:
        Facts for the log: span and row counts of the outputs.
    """
    from google.protobuf import json_format
    from kfp.pipeline_spec import pipeline_spec_pb2
    from tfx.dsl.components.base import base_beam_executor, base_executor
    from tfx.orchestration.kubeflow.v2.container import kubeflow_v2_entrypoint_utils
    from tfx.utils import import_utils

    from pipeline.kubeflow import artifacts
    from pipeline.kubeflow.night_plans import of_night
    from pipeline.kubeflow.spec.parameters import merge_parameters
    from pipeline.kubeflow.spec.pipeline_spec import NIGHT_INPUT

    _only_our_log()
    given = json_format.Parse(invocation, pipeline_spec_pb2.ExecutorInput(), ignore_unknown_fields=True)
    definitions = json_format.Parse(inputs_spec, pipeline_spec_pb2.ComponentInputsSpec(), ignore_unknown_fields=True)
    cls = import_utils.import_class_by_path(executor_class)
    on_beam = issubclass(cls, base_beam_executor.BaseBeamExecutor)
    pod = os.environ.get(MOUNT_ROOT, "/")
    # Workers in other pods cannot access this pod's folders, so the stage and its workers use the URLs directly.
    root = None if on_beam and elsewhere(beam_arguments) else pod
    inputs = artifacts.inputs(given.inputs.artifacts, definitions, root)
    outputs = artifacts.outputs(given.outputs.artifacts, root)
    parameters = kubeflow_v2_entrypoint_utils.parse_execution_properties(given.inputs.parameter_values, {}, definitions)
    if night := inputs.pop(NIGHT_INPUT, None):
        parameters = of_night(stage, parameters, Path(artifacts.local_path(night[0].uri, pod)))
    properties = merge_parameters(stage, parameters)

    with tempfile.TemporaryDirectory(prefix="gatewise-") as scratch:
        common = {"unique_id": stage, "tmp_dir": scratch}
        if on_beam:
            context = cls.Context(beam_pipeline_args=beam_arguments, **common)
        else:
            context = base_executor.BaseExecutor.Context(extra_flags=beam_arguments, **common)
        logger.info("%s begins.", stage)
        cls(context).Do(inputs, outputs, properties)

    written = artifacts.executor_output(given.outputs.artifacts, outputs)
    write_whole(artifacts.local_path(given.outputs.output_file, pod), json_format.MessageToJson(written))
    return _facts(outputs)


def _facts(outputs: Mapping[str, list[Any]]) -> dict[str, Any]:
    """Span and row counts by output, if they are known."""
    rows, spans = {}, set()
    for key, artifacts in outputs.items():
        for artifact in artifacts:
            if artifact.has_custom_property("rows"):
                rows[key] = artifact.get_int_custom_property("rows")
            if "span" in (artifact.artifact_type.properties or {}):
                spans.add(artifact.span)
    return {"span": max(spans, default=None), "rows": rows}


def elsewhere(beam_arguments: Sequence[str]) -> bool:
    """Whether Beam's flags select a runner with workers outside of the pod, which cannot access the pod's disk.

    The last `--runner` applies, as in Beam.
    """
    name = "direct"
    for flag, following in itertools.pairwise([*beam_arguments, ""]):
        if flag.startswith("--runner="):
            name = flag.removeprefix("--runner=")
        elif flag == "--runner":
            name = following
    return name.rpartition(".")[2].lower().removesuffix("runner") not in IN_THE_POD


def _only_our_log() -> None:
    """Removes absl's log handler, which TFX and TensorFlow install."""
    from absl import logging as absl_logging

    handler = absl_logging.get_absl_handler()
    root = logging.getLogger()
    if handler in root.handlers:
        root.removeHandler(handler)
    absl_logging.set_verbosity(absl_logging.WARNING)


def _failed(stage: str, message: str, code: int) -> int:
    """Logs the message as the last line, and writes it as the pod's status."""
    if TERMINATION_LOG.is_file():
        with contextlib.suppress(OSError):
            TERMINATION_LOG.write_text(masked(f"{stage}: {message}")[-4096:], encoding="utf-8")
    logger.error("%s", message, extra={"facts": {"exit_code": code}})
    return code


if __name__ == "__main__":
    ended = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # Threads of Beam and TensorFlow may delay the exit. The output file is written, so nothing is lost.
    os._exit(ended)
