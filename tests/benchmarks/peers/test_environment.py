from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from benchmarks.peers.environment import NoEnvironment, is_ready, python_of


@pytest.mark.slow
def test_made_once_and_again_when_the_requirements_change(tmp_path: Path) -> None:
    requirements, folder = tmp_path / "few.txt", tmp_path / "environments"
    requirements.write_text("# nothing\n")
    python = python_of(requirements, folder)
    done = subprocess.run(
        [str(python), "-c", "import sys; print(sys.prefix)"], capture_output=True, text=True, check=True
    )
    assert Path(done.stdout.strip()) == folder / "few"
    (folder / "few" / "kept").touch()
    assert python_of(requirements, folder) == python and (folder / "few" / "kept").exists()
    requirements.write_text("== 3\n")
    assert not is_ready(folder / "few", requirements)
    said = r"pip install could not create the environment of few.txt[\s\S]*Invalid requirement"
    with pytest.raises(NoEnvironment, match=said):
        python_of(requirements, folder)
    assert not (folder / "few" / "kept").exists() and not is_ready(folder / "few", requirements)
