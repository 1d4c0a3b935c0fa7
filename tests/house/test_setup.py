"""What an installation says on a machine that TFX's wheels do not run on."""

from __future__ import annotations

import os
import platform
import re
import runpy
import sys
from pathlib import Path
from typing import Any

import pytest
import setuptools

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The metadata that setup.py passes on; empty if it ended before."""
    found: dict[str, Any] = {}
    monkeypatch.setattr(setuptools, "setup", lambda **metadata: found.update(metadata))
    monkeypatch.setattr(sys, "argv", ["setup.py", "egg_info"])
    monkeypatch.delenv("GATEWISE_BUILD_ONLY", raising=False)
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.chdir(ROOT)
    return found


def refused() -> str:
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(ROOT / "setup.py"))
    return str(ended.value.code)


@pytest.mark.parametrize("library", ["glibc 2.38", "glibc 2.5", "glibc 1.99"])
def test_an_old_c_library_ends_with_two_ways_out(
    library: str, installed: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "confstr", lambda name: library)
    message = refused()
    assert f"gatewise needs glibc 2.39 or newer, for which TFX's wheels are built; this host has {library}." in message
    assert "make setup" in message and "python:3.12-slim-trixie" in message and not installed


@pytest.mark.parametrize("library", ["glibc 2.39", "glibc 2.41", "glibc 3.0"])
def test_a_new_one_installs(library: str, installed: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "confstr", lambda name: library)
    runpy.run_path(str(ROOT / "setup.py"))
    assert {"gatewise", "pipeline", "components", "models"} <= set(installed["packages"])
    assert not any(name.startswith(("tests", "benchmarks")) for name in installed["packages"])


def test_another_c_library(installed: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(name: str) -> str:
        raise ValueError("unrecognized configuration name")

    monkeypatch.setattr(os, "confstr", unknown)
    assert "the C library of this host is another one" in refused()


def test_another_system(installed: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    monkeypatch.setattr(platform, "machine", lambda: "arm64")
    assert "gatewise runs on x86-64 Linux; this is Darwin arm64." in refused()


def test_a_wheel_for_another_machine(installed: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "confstr", lambda name: "glibc 2.31")
    monkeypatch.setenv("GATEWISE_BUILD_ONLY", "1")
    runpy.run_path(str(ROOT / "setup.py"))
    assert installed["name"] == "gatewise"


def test_set_up_needs_the_same_c_library() -> None:
    bootstrap = (ROOT / "scripts" / "bootstrap").read_text()
    setup = (ROOT / "setup.py").read_text()
    (major, minor), *others = re.findall(r"^GLIBC = \((\d+), (\d+)\)", setup, re.MULTILINE)
    assert not others and f'needed_glibc="{major}.{minor}"' in bootstrap
    assert re.search(r'^container="(.+)"', bootstrap, re.MULTILINE)[1] in setup  # type: ignore[index]
