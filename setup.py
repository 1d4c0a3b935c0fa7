"""Package metadata, the console script, and the package that Beam ships to its workers."""

from pathlib import Path

from setuptools import find_packages, setup


def _requirements(name: str) -> list[str]:
    lines = (Path(__file__).parent / "requirements" / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith(("#", "-"))]


setup(
    name="gatewise",
    version="0.1.0",
    description="A production multi-task recommender pipeline: event logs in, a gated multi-objective ranking model out.",
    license="Apache-2.0",
    python_requires=">=3.11,<3.14",
    packages=find_packages(include=["pipeline*", "models*", "components*"]),
    package_data={"pipeline.ui": ["static/*", "templates/*"]},
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
