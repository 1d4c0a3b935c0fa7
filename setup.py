"""Package metadata, the console script, and the package that Beam ships to its workers."""

import os
import platform
import sys
from pathlib import Path

from setuptools import find_packages, setup

GLIBC = (2, 39)
"""The oldest C library that TFX's wheels run on; scripts/bootstrap has the same number."""

BUILD_ONLY = "GATEWISE_BUILD_ONLY"
"""Environment variable: builds a wheel for another machine, without a check of this one."""

_WAYS_OUT = f"""There are two ways out:
  1. Clone the repository and run `make setup` in it. On x86-64 Debian 11 or 12 and Ubuntu 20.04 or 22.04, it unpacks a newer C
     library under .runtime/, for this project alone. The host is not changed, and no root is needed.
  2. Install in the container image python:3.12-slim-trixie (--platform linux/amd64), or on a host with Debian 13,
     Ubuntu 24.04 or newer.
To build a wheel for another machine, set {BUILD_ONLY}=1."""


def _unfit() -> str:
    """Why TFX's wheels do not run on this machine; "" if they do.

    Without this check, pip searches for minutes and then says that it finds no version of a package.
    """
    needed = "gatewise needs glibc {}.{} or newer, for which TFX's wheels are built; ".format(*GLIBC)
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        return f"gatewise runs on x86-64 Linux; this is {platform.system()} {platform.machine()}."
    try:
        library = os.confstr("CS_GNU_LIBC_VERSION") or ""
        version = tuple(int(part) for part in library.removeprefix("glibc ").split("."))
    except (ValueError, OSError):
        return f"{needed}the C library of this host is another one."
    return f"{needed}this host has {library}." if version < GLIBC else ""


def _requirements(name: str) -> list[str]:
    lines = (Path(__file__).parent / "requirements" / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith(("#", "-"))]


if os.environ.get(BUILD_ONLY) != "1" and (reason := _unfit()):
    sys.exit(f"\n{reason}\n{_WAYS_OUT}\n")

setup(
    name="gatewise",
    version="0.1.0",
    description="A production multi-task recommender pipeline: event logs in, a gated multi-objective ranking model out.",
    license="Apache-2.0",
    python_requires=">=3.11,<3.14",
    packages=find_packages(include=["gatewise*", "pipeline*", "models*", "components*"]),
    package_data={"gatewise": ["py.typed"], "pipeline.ui": ["static/*", "templates/*"]},
    install_requires=_requirements("runtime.in"),
    extras_require={
        "kubeflow": _requirements("kubeflow.in"),
        "ann": _requirements("ann.in"),
        "tune": _requirements("tune.in"),
        "dev": [line for name in ("kubeflow.in", "ann.in", "tune.in", "dev.in") for line in _requirements(name)],
        "gpu": _requirements("gpu.in"),
    },
    entry_points={"console_scripts": ["gatewise = pipeline.cli:main"]},
)
