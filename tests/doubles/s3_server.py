"""A server that speaks S3, in a process of its own: Arrow waits for an answer without leaving Python's lock in some places."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


def free_port() -> int:
    """A port at which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running(*buckets: str, checks_keys: bool = False) -> Iterator[Any]:
    """A server with these buckets, to which this process's environment points; a boto3 client of it.

    Args:
        buckets: to make.
        checks_keys: from then on it refuses access keys that it has not given out itself.
    """
    url = f"http://127.0.0.1:{free_port()}"
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", url.rpartition(":")[2]]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(url, process)
        with pytest.MonkeyPatch.context() as patch:
            for name, value in {**ENVIRONMENT, "AWS_ENDPOINT_URL": url}.items():
                patch.setenv(name, value)
            client = boto3.client("s3", endpoint_url=url)
            for bucket in buckets:
                client.create_bucket(Bucket=bucket)
            if checks_keys:
                plain = {"Content-Type": "text/plain"}
                urllib.request.urlopen(urllib.request.Request(f"{url}/moto-api/reset-auth", b"0", plain)).close()
            yield client
            client.close()
    finally:
        process.terminate()
        process.wait()


def _wait_for(url: str, process: subprocess.Popen) -> None:
    for _ in range(600):
        if process.poll() is not None:
            raise RuntimeError(f"moto's server ended with {process.returncode}")
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/moto-api/"):
            return
        time.sleep(0.1)
    raise RuntimeError("moto's server does not answer")
