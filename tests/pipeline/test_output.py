from __future__ import annotations

from pathlib import Path

import pytest

from models.errors import InputError
from pipeline.output import write_lines, write_output


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot be written \(Is a directory\)"):
        write_output(tmp_path, "text")


def test_a_line_for_each_answer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answers = [{"click": 0.5}, {"item": "ü"}]
    write_lines(answers, None)
    write_lines(answers, tmp_path / "new" / "answers.jsonl")
    assert (
        capsys.readouterr().out
        == (tmp_path / "new" / "answers.jsonl").read_text()
        == ('{"click": 0.5}\n{"item": "\\u00fc"}\n')
    )
