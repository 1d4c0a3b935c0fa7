"""Runs a stage's Beam pipeline on the engine of the recipe, and converts the engine's errors to messages for the user."""

from __future__ import annotations

import contextlib
import glob
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import apache_beam as beam

from models.recipe.errors import InputError

HALF_WRITTEN = (".tmp", ".partial")
"""Endings of the temporary names under which files are written."""

_INPUT_ERROR = f"{InputError.__module__}.{InputError.__name__}: "
_OUR_MODULE = re.compile(r"No module named '((?:models|components|pipeline)(?:\.\w+)*)'")
_NO_SCHEDULER = re.compile(r"[Tt]imed out trying to connect to (\S+)")


@contextlib.contextmanager
def running(
    make_pipeline: Callable[[], AbstractContextManager[beam.Pipeline]], *outputs: str
) -> Iterator[beam.Pipeline]:
    """A pipeline to add steps to; it runs, to its end, when the block ends.

    Args:
        make_pipeline: such as an executor's `_make_beam_pipeline`.
        outputs: folders that the steps write to. What workers that died have left half-written there is removed.

    Raises:
        InputError: a step raised it, or the engine cannot be reached or used.
    """
    try:
        with plain_messages(), _clients_closed(), make_pipeline() as pipeline:
            yield pipeline
    finally:
        for folder in outputs:
            _remove_half_written(folder)


def _remove_half_written(folder: str) -> None:
    for ending in HALF_WRITTEN:
        pattern = os.path.join(glob.escape(folder), "**", f"*{ending}")
        for path in glob.glob(pattern, recursive=True, include_hidden=True):
            # A worker that was taken for dead may be about to rename it.
            with contextlib.suppress(FileNotFoundError):
                os.remove(path)


@contextlib.contextmanager
def _clients_closed() -> Iterator[None]:
    """Closes the client that Beam's DaskRunner opens for each pipeline and leaves open: it holds the results in the cluster."""
    before = _dask_client()
    try:
        yield
    finally:
        client = _dask_client()
        if client is not None and client is not before:
            client.close()


def _dask_client() -> Any:
    distributed = sys.modules.get("distributed")
    if distributed is None:
        return None
    try:
        return distributed.default_client()
    except ValueError:
        return None


@contextlib.contextmanager
def plain_messages() -> Iterator[None]:
    """Converts an engine's error to the InputError that caused it, if any.

    Beam appends the step's name to an InputError, which does not help the user. A portable job ends with a RuntimeError that
    contains the workers' traceback as text. A cluster may be missing or unsuitable.
    """
    try:
        yield
    except InputError as error:
        raise InputError(_without_step(str(error))) from None
    except Exception as error:
        message = _message(error)
        if message is None:
            raise
        raise InputError(message) from None


def _without_step(text: str) -> str:
    return re.sub(r" \[while running .*", "", text, flags=re.DOTALL)


def _message(error: Exception) -> str | None:
    text, kind = str(error), type(error)
    if _INPUT_ERROR in text:
        return _without_step(text.rpartition(_INPUT_ERROR)[2]).strip()
    if missing := _OUR_MODULE.search(text):
        return (
            f"beam: a worker has no module {missing[1]!r}: it runs another version of gatewise than this process, or none. "
            "Start the workers from the same image, or in the same checkout with PYTHONPATH set to it."
        )
    if unreachable := _NO_SCHEDULER.search(text):
        return (
            f"beam.flags: no Dask scheduler answers at {unreachable[1]}. Start one (`dask scheduler`), "
            "or correct `--dask_client_address`."
        )
    if kind.__name__ == "FutureTimeoutError" and kind.__module__.partition(".")[0] == "grpc":
        return (
            "beam.flags: no job service answers at the `--job_endpoint`. Start one, or correct the flag; "
            "`--job_server_timeout` gives it more seconds."
        )
    if kind.__name__ == "KilledWorker":
        return (
            "beam: the worker processes died at one piece of work again and again. Mostly they had too little memory: give "
            f"them more, or raise `beam.partitions` so that a partition is smaller. Dask says: {text}"
        )
    return None
