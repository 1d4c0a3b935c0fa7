"""A Dockerfile's stages built as folders, by the host's own programs, as far as a host without Docker can.

What is done: the order of the stages, COPY through .dockerignore, ENV, WORKDIR, mounts, and every RUN by the shell, with
each absolute path put below the stage's folder. What is not: images of registries are empty folders; apt-get, groupadd and
useradd only write down what they are asked; the packages of a lock are solved and their hashes required, for the image's
Python and not the host's, but not installed.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import dockerfile
from docker.utils.build import exclude_paths

RECORDED = ("apt-get", "groupadd", "useradd")
"""Programs that would change the host."""

PIP = """#!/bin/bash
# python3 of an image of Python: pip does everything but install, the environment is a real one.
if [ "$1 $2 $3" = "-m pip install" ]; then exec "{tools}/python3" -m pip install --dry-run --quiet "${{@:4}}"; fi
exec "{tools}/python3" "$@"
"""

UV = """#!/bin/bash
if [ "$1 $2" = "pip install" ]; then
    exec "{tools}/uv" pip install --dry-run --quiet --python-version {python} --python-platform x86_64-manylinux_2_40 "${{@:3}}"
fi
exec "{tools}/uv" "$@"
"""

RECORD = """#!/bin/bash
echo "{name} $*" >>"{log}"
"""


class Stage:
    """A stage and its folder.

    Attributes:
        name: of the stage.
        root: the folder that stands for the image's /.
        environment: what ENV has set.
        workdir: in the image.
        user: of the last USER.
    """

    def __init__(self, name: str, root: Path, parent: Stage | None) -> None:
        self.name, self.root = name, root
        if parent is None:
            root.mkdir()
        else:
            shutil.copytree(parent.root, root, symlinks=True)
        self.environment: dict[str, str] = dict(parent.environment) if parent else {}
        self.workdir = parent.workdir if parent else "/"
        self.user = parent.user if parent else "0"
        self.entrypoint: tuple[str, ...] = parent.entrypoint if parent else ()

    def path(self, inside: str) -> Path:
        """Where the image's path is on the host."""
        return self.root / os.path.normpath(os.path.join(self.workdir, inside)).lstrip("/")


class HostBuild:
    """All stages of a Dockerfile.

    Args:
        file: the Dockerfile.
        context: the folder that is sent to the builder, with its .dockerignore.
        folder: a new one, for the stages.
        tools: folder with python3, pip beside it, and uv.
        python: version of the image's Python, such as 3.12.

    Attributes:
        stages: by name.
        log: what RECORDED programs were asked.

    Raises:
        AssertionError: an instruction that fails, with its words and its output.
    """

    def __init__(self, file: Path, context: Path, folder: Path, tools: Path, python: str) -> None:
        self._file, self._folder = file, folder
        self._context = folder / "context"
        copy_context(context, file, self._context)
        self._log = folder / "recorded"
        self._log.touch()
        self._bin = folder / "bin"
        self._bin.mkdir()
        for name in RECORDED:
            _script(self._bin / name, RECORD.format(name=name, log=self._log))
        self._python3 = PIP.format(tools=tools)
        self._uv = UV.format(tools=tools, python=python)
        self._imported: set[str] = set()
        self.stages: dict[str, Stage] = {}
        for command in dockerfile.parse_file(str(file)):
            self._do(command)

    @property
    def log(self) -> list[str]:
        """The recorded command lines."""
        return self._log.read_text(encoding="utf-8").splitlines()

    def _do(self, command: dockerfile.Command) -> None:
        name = command.cmd.upper()
        if name == "FROM":
            parent = self.stages.get(command.value[0])
            own = command.value[2] if len(command.value) == 3 else "last"
            self._stage = self.stages[own] = Stage(own, self._folder / own, parent)
            if parent is None and command.value[0].startswith("python:"):
                _script(self._stage.path("/usr/local/bin/python3"), self._python3)
            elif parent is None:
                (self._stage.path("/opt/apache/beam")).mkdir(parents=True)
        elif name == "ENV":
            for key, value in zip(command.value[::2], command.value[1::2], strict=True):
                self._stage.environment[key] = value
        elif name == "WORKDIR":
            self._stage.workdir = command.value[0]
            self._stage.path(".").mkdir(parents=True, exist_ok=True)
        elif name == "USER":
            self._stage.user = command.value[0]
        elif name == "ENTRYPOINT":
            self._stage.entrypoint = command.value
        elif name == "COPY":
            self._copy(command)
        elif name == "RUN":
            self._run(command)
        else:
            raise AssertionError(f"{self._file}:{command.start_line}: {name} is not known here")

    def _copy(self, command: dockerfile.Command) -> None:
        flags = dict(flag.removeprefix("--").split("=", 1) for flag in command.flags)
        *sources, target = command.value
        into = self._stage.path(target)
        for pattern in sources:
            base = self.stages[flags["from"]].root if "from" in flags else self._context
            found = sorted(base.glob(pattern.lstrip("/"))) if pattern != "." else [base]
            assert found, f"{self._file}:{command.start_line}: COPY: no {pattern} in {flags.get('from', 'the context')}"
            for source in found:
                if source.is_dir():
                    shutil.copytree(source, into, symlinks=True, dirs_exist_ok=True)
                else:
                    place = into / source.name if target.endswith("/") else into
                    place.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(source, place)

    def _run(self, command: dockerfile.Command) -> None:
        stage = self._stage
        mounts = [self._mount(flag) for flag in command.flags]
        environment = {name: self._below(value) for name, value in stage.environment.items() if name != "PATH"}
        # The stage's own programs, then those that only record, then the host's.
        path = stage.environment.get("PATH", "$PATH").replace("$PATH", "/usr/local/bin")
        # The image has a newer C library than the host may have.
        environment["GATEWISE_BUILD_ONLY"] = "1"
        environment["PATH"] = f"{self._below(path)}:{self._bin}:{os.environ['PATH']}"
        script = self._below(command.value[0])
        if command.value[0].startswith("python3 -c "):
            if command.value[0] in self._imported:
                return  # gatewise is the same wheel in all of them, and the packages are the host's
            self._imported.add(command.value[0])
            # The packages of the lock are in the host's environment, and gatewise is as it was installed into the stage.
            script = f"{sys.executable} {script.removeprefix('python3 ')}"
            environment["PYTHONPATH"] = str(installed(stage))
        done = subprocess.run(
            ["bash", "-ec", script],
            cwd=stage.path("."),
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=600,
        )
        where = f"{self._file}:{command.start_line}: RUN {command.value[0]}"
        assert done.returncode == 0, f"{where}\n{done.stdout}{done.stderr}"
        if "tools.lock" in command.value[0]:
            _script(stage.path("/usr/local/bin/uv"), self._uv)
        for mount in mounts:
            mount.unlink()

    def _mount(self, flag: str) -> Path:
        """A bind mount, as a link."""
        options: Mapping[str, str] = dict(option.split("=", 1) for option in flag.removeprefix("--mount=").split(","))
        assert options["type"] == "bind", flag
        base = self.stages[options["from"]].root if "from" in options else self._context
        source, target = base / options["source"].lstrip("/"), self._stage.path(options["target"])
        assert source.exists(), f"{flag}: there is no {source}"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        target.symlink_to(source)
        return target

    def _below(self, text: str) -> str:
        """The text with each absolute path below the stage's folder: a RUN must not touch the host's."""
        return re.sub(r"(?<![\w./$}*-])/(?=\w)", f"{self._stage.root}/", text)


def copy_context(context: Path, file: Path, target: Path) -> None:
    """Copies what a build sends to the builder: all that .dockerignore does not hold back."""
    lines = (context / ".dockerignore").read_text(encoding="utf-8").splitlines()
    patterns = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    target.mkdir(parents=True)
    for name in sorted(exclude_paths(str(context), patterns, file.relative_to(context).as_posix())):
        source, place = context / name, target / name
        if source.is_dir():
            place.mkdir(parents=True, exist_ok=True)
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, place)


def installed(stage: Stage) -> Path:
    """Where the stage's virtual environment has its packages."""
    (found,) = stage.path("/opt/gatewise/lib").glob("python3*/site-packages")
    return found


def _script(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
