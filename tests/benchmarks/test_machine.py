from __future__ import annotations

import platform
import re

import pyarrow as pa

from benchmarks import machine


def test_what_the_machine_is() -> None:
    found = machine.machine()
    assert found["cpu"] and found["cores"] >= 1 and found["memory_bytes"] > 2**30
    assert found["python"] == platform.python_version()
    assert found["packages"]["pyarrow"] == pa.__version__


def test_a_package_that_is_not_there_is_left_out() -> None:
    assert machine.versions(["no-such-package", "pyarrow"]) == {"pyarrow": pa.__version__}


def test_the_commit() -> None:
    found = machine.commit()
    assert found is None or re.fullmatch(r"[0-9a-f]{40}(\+changes)?", found)


def test_memory_that_can_be_had() -> None:
    assert 2**20 < machine.free_bytes() <= machine.machine()["memory_bytes"]
