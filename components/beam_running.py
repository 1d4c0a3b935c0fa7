"""A stage's Beam pipeline from its first step to the end of its run, on whatever engine the recipe names."""

from __future__ import annotations

import contextlib
import glob
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import apache_beam as beam

from components.beam_messages import plain_messages

HALF_WRITTEN = (".tmp", ".partial")
"""Endings of the temporary names under which files are written."""


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
