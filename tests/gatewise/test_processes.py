"""Commands in processes of their own, and how their ends arrive."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from gatewise.processes import ROOT, call
from models.recipe.errors import GatewiseError, InputError


def python(script: str, *, accepted: tuple[int, ...] = (0,), quiet: bool = False, **more: Any) -> str:
    return call(["run", "x"], accepted, quiet, what=["-c", f"import sys\n{script}"], **more)


def test_the_output_comes_back_and_the_progress_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    script = "print('one', *sys.argv[1:]); print('Trainer', file=sys.stderr)"
    assert python(script) == "one run x\n"
    assert capsys.readouterr() == ("", "Trainer\n")
    assert python(script, quiet=True) == "one run x\n"
    assert capsys.readouterr() == ("", "")


def test_the_search_path_is_this_process_s(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a recipe finds methods that a notebook finds."""
    monkeypatch.syspath_prepend("/my/methods")
    found = python("print(sys.path)")
    assert "'/my/methods'" in found


def test_folders_of_a_notebook_do_not_hide_gatewise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("models", "pipeline"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise RuntimeError('of the notebook')")
    monkeypatch.chdir(tmp_path)
    assert "valid" in call(["validate", str(ROOT / "recipes" / "shop.yaml")], (0,), True)


def test_a_refusal_is_an_input_error_with_the_command_s_message(capsys: pytest.CaptureFixture[str]) -> None:
    script = "print('log in x\\ngatewise: a.yaml:3: wrong\\na.yaml:4: wrong too', file=sys.stderr); sys.exit(1)"
    with pytest.raises(InputError) as error:
        python(script)
    assert str(error.value) == "a.yaml:3: wrong\na.yaml:4: wrong too"
    assert capsys.readouterr().err == "log in x\n", "the message is that of the exception"


def test_a_usage_error_has_the_last_lines() -> None:
    with pytest.raises(InputError, match="Error: Invalid value for '--seeds'"):
        python("print(\"Error: Invalid value for '--seeds'\", file=sys.stderr); sys.exit(1)", quiet=True)


def test_a_crash_is_no_input_error() -> None:
    with pytest.raises(
        GatewiseError, match=r"gatewise run ended with code 3(?s:.)*ValueError: x(?s:.)*gatewise: crashed"
    ) as error:
        python("print('ValueError: x\\ngatewise: crashed', file=sys.stderr); sys.exit(3)", quiet=True)
    assert not isinstance(error.value, InputError)
    with pytest.raises(GatewiseError, match="code -9"):
        python("import os; os.kill(os.getpid(), 9)", quiet=True)


def test_accepted_codes() -> None:
    assert python("print('x'); sys.exit(2)", accepted=(0, 2)) == "x\n"
    assert python("print('result: y'); sys.exit(1)", results="result: ") == "result: y\n"
    with pytest.raises(InputError):
        python("print('no result'); sys.exit(1)", results="result: ", quiet=True)


def test_an_interrupt_ends_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []

    class Screen:
        def write(self, text: str) -> None:
            seen.append(int(text))
            raise KeyboardInterrupt

        def flush(self) -> None: ...

    monkeypatch.setattr(sys, "stderr", Screen())
    with pytest.raises(KeyboardInterrupt):
        python("import os, time; print(os.getpid(), file=sys.stderr); time.sleep(300)")
    with pytest.raises(ProcessLookupError):
        os.kill(seen[0], 0)
