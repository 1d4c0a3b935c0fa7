"""Beam engines as processes on this machine. Each context manager starts one and returns the recipe overrides to use it."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

from benchmarks.measure import ROOT

WORKER_POOL = """
import sys
from apache_beam.runners.worker.worker_pool_main import BeamFnExternalWorkerPoolServicer
address, server = BeamFnExternalWorkerPoolServicer.start(use_process=sys.argv[1] == "fresh")
print(address, flush=True)
sys.stdin.read()
"""
"""Unlike Beam's own command, it finds a free port itself, and ends with its standard input."""

Overrides = list[str]
"""Of the recipe's section `beam`, as `load_recipe` takes them."""


@contextlib.contextmanager
def local(folder: Path) -> Iterator[Overrides]:
    """This process."""
    yield []


@contextlib.contextmanager
def dask(
    folder: Path, preload: Path | None = None, environment: Mapping[str, str] | None = None
) -> Iterator[Overrides]:
    """A Dask scheduler in this process and two worker processes.

    Args:
        folder: for what the workers keep.
        preload: a module that each worker calls at its start.
        environment: of the workers, besides this process's.
    """
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=True,
        dashboard_address=None,
        local_directory=str(folder),
        preload=[str(preload)] if preload else [],
        env=dict(environment or {}),
        silence_logs=logging.CRITICAL,
    ) as cluster:
        yield _beam("DaskRunner", f"--dask_client_address={cluster.scheduler_address}")


@contextlib.contextmanager
def job_service(folder: Path, fresh: bool = False) -> Iterator[Overrides]:
    """Beam's portable job service in a process, and one worker process beside it.

    Args:
        folder: for the service's files.
        fresh: start a worker process for each pipeline; one for all, that has its modules loaded, if not.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # The pool starts `python`.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    port, log = folder / "port", folder / "log"
    command = [sys.executable, "-m", "apache_beam.runners.portability.local_job_service_main"]
    command += ["--port_file", str(port), "--staging_dir", str(folder / "staging")]
    with (
        open(log, "w", encoding="utf-8") as said,
        subprocess.Popen(command, cwd=ROOT, env=environment, stdout=said, stderr=said) as service,
        subprocess.Popen(
            [sys.executable, "-c", WORKER_POOL, "fresh" if fresh else "one"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
        ) as pool,
    ):
        assert pool.stdin is not None and pool.stdout is not None
        try:
            address = pool.stdout.readline().strip()
            while not port.is_file():
                if service.poll() is not None:
                    raise RuntimeError(f"the job service ended: {log.read_text(encoding='utf-8')}")
                time.sleep(0.05)
            where = f"--job_endpoint=localhost:{port.read_text(encoding='utf-8')}"
            yield _beam("PortableRunner", where, "--environment_type=EXTERNAL", f"--environment_config={address}")
        finally:
            pool.stdin.close()
            service.terminate()


ENGINES: dict[str, Callable[[Path], AbstractContextManager[Overrides]]] = {
    "FnApiRunner": local,
    "Dask, 2 workers": dask,
    "job service, 1 worker": job_service,
}


def _beam(runner: str, *flags: str) -> Overrides:
    return [f"beam.runner={runner}", f"beam.flags={json.dumps(flags)}"]
