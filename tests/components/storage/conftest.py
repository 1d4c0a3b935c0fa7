"""An object store to read from and write to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import s3_server

from components.storage import stores


@pytest.fixture(scope="session")
def store() -> Iterator[Any]:
    """A boto3 client of an S3 server with the bucket `logs`; Arrow's file systems find it by the environment."""
    stores._file_system.cache_clear()
    with s3_server.running("logs") as client:
        yield client
    stores._file_system.cache_clear()


@pytest.fixture
def keys(store: Any) -> Any:
    """The keys below a prefix, sorted."""
    return lambda prefix: [
        entry["Key"] for entry in store.list_objects_v2(Bucket="logs", Prefix=prefix).get("Contents", [])
    ]
