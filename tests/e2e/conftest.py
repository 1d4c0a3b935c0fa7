"""The command line as a user runs it: a process for each command, and what it printed."""

from __future__ import annotations

import dataclasses
import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import forked
import pytest
from kubeflow_replay.store import Store
from moto.server import ThreadedMotoServer

from benchmarks import engines

PROJECT = Path(__file__).resolve().parents[2]
REAL_DATA = PROJECT.parent / "shared" / "data"
QUICK = [
    "--set", "training.epochs=2", "--set", "training.steps_per_execution=1",
    "--set", "training.batch_size=256", "--set", "training.learning_rate=0.01",
    "--set", "model.options.mmoe={experts: 2, units: [16], tower_units: [8]}", "--set", "model.embedding_dim=4",
    # The twins are trained where the recipes meet real logs.
    "--set", "evaluation.references=[linear]", "--set", "evaluation.not_below_single_task=null",
    "--set", "retrieval.dim=8", "--set", "retrieval.units=[16]", "--set", "retrieval.epochs=1", "--set", "retrieval.gates=[]",
]  # fmt: skip


GATES_OFF = [
    part for task in ("click", "cart", "order", "order_value") for part in ("--set", f"tasks.{task}.gates=none")
]


@dataclasses.dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str
    result: dict[str, Any]


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "pipeline.cli", *map(str, arguments)]


def done(code: int, out: str, err: str, arguments: tuple[object, ...]) -> Done:
    """With the JSON result, where one was asked for."""
    texts = [str(argument) for argument in arguments]
    file = Path(texts[texts.index("--json") + 1]) if "--json" in texts else None
    result = json.loads(file.read_text()) if file is not None and file.is_file() else {}
    return Done(code, out, err, result)


@pytest.fixture(scope="session")
def gatewise(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Done]:
    """Runs `gatewise ...` in a process that begins with everything imported (tests/doubles/forked.py)."""

    def call(*arguments: object) -> Done:
        folder = tmp_path_factory.mktemp("printed")
        out, err = folder / "out", folder / "err"
        code = forked.start(command(*arguments), PROJECT, out, err).wait(timeout=800)
        return done(code, out.read_text(), err.read_text(), arguments)

    return call


@pytest.fixture(scope="session")
def gatewise_anew() -> Callable[..., Done]:
    """Runs `gatewise ...` in a new interpreter, which has imported nothing: as a user does, and ten seconds slower."""

    def call(*arguments: object) -> Done:
        ran = subprocess.run(command(*arguments), cwd=PROJECT, capture_output=True, text=True, timeout=800)
        return done(ran.returncode, ran.stdout, ran.stderr, arguments)

    return call


@pytest.fixture(scope="session")
def shop_recipe() -> Path:
    return PROJECT / "recipes" / "shop.yaml"


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """The folder `name` that the first process of the session to need it makes, and the others wait for."""
    base = factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder, ready = base / name, base / f"{name}.ready"
    with open(base / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not ready.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            ready.touch()
    return folder


@pytest.fixture(scope="session")
def shop_logs(gatewise: Callable[..., Done], shop_recipe: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """20,000 simulated impressions with some dirt."""

    def make(folder: Path) -> None:
        to = folder / "logs"
        done = gatewise("simulate", shop_recipe, "--impressions", 20_000, "--seed", 3, "--out", to, "--dirt", 0.02)
        assert done.code == 0, done.err

    return made_once(tmp_path_factory, "shop", make) / "logs"


@dataclasses.dataclass(frozen=True)
class FirstRun:
    """The first run of the shop, for all processes of the session.

    Attributes:
        done: its end.
        logs: its logs, which only tests/e2e/test_shop.py changes.
        root: its root, in which only tests/e2e/test_shop.py runs again.
        pushed: copy of the root's folder `serving` after the run.
    """

    done: Done
    logs: Path
    root: Path
    pushed: Path


@pytest.fixture(scope="session")
def first_run(
    gatewise_anew: Callable[..., Done],
    shop_recipe: Path,
    shop_logs: Path,
    quick: list[str],
    tmp_path_factory: pytest.TempPathFactory,
) -> FirstRun:
    def make(folder: Path) -> None:
        shutil.copytree(shop_logs, folder / "logs")
        about = ["run", shop_recipe, "--root", folder / "runs", "--data", folder / "logs"]
        done = gatewise_anew(*about, "--json", folder / "result.json", *quick, *GATES_OFF)
        (folder / "done.json").write_text(json.dumps(dataclasses.asdict(done)))
        if (folder / "runs" / "serving").is_dir():
            shutil.copytree(folder / "runs" / "serving", folder / "pushed")

    folder = made_once(tmp_path_factory, "first-run", make)
    done = Done(**json.loads((folder / "done.json").read_text()))
    return FirstRun(done, folder / "logs", folder / "runs", folder / "pushed")


@pytest.fixture(scope="session")
def quick() -> list[str]:
    """Overrides that make a run small."""
    return QUICK


@pytest.fixture(scope="session")
def gates_off() -> list[str]:
    """Overrides that bless every model of the shop."""
    return GATES_OFF


@pytest.fixture(scope="session")
def real_data() -> Path:
    if not REAL_DATA.is_dir():
        pytest.skip(f"the real logs are not here: {REAL_DATA}")
    return REAL_DATA


@dataclasses.dataclass(frozen=True)
class Engine:
    """A cluster: what a recipe says to run on it; `arms`, the folder of doubles/dying.py."""

    beam: list[str]
    arms: Path | None = None


@pytest.fixture(scope="session")
def dask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A Dask scheduler with two worker processes."""
    arms = tmp_path_factory.mktemp("arms")
    preload = PROJECT / "tests" / "doubles" / "dying.py"
    with engines.dask(tmp_path_factory.mktemp("dask"), preload, {"DYING": str(arms)}) as beam:
        yield Engine(beam, arms)


@pytest.fixture(scope="session")
def job_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Beam's portable job service, and a pool that starts a worker process for each pipeline."""
    with engines.job_service(tmp_path_factory.mktemp("job-service"), fresh=True) as beam:
        yield Engine(beam)


@pytest.fixture(scope="session")
def store() -> Iterator[Store]:
    """What is behind the pipeline root of the compiled files: speaks S3, and has the bucket `recommender`."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    client = boto3.client(
        "s3",
        endpoint_url=f"http://{host}:{port}",
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    client.create_bucket(Bucket="recommender")
    yield Store(client)
    server.stop()
