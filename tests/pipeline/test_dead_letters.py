"""The malformed rows of the newest reading, also of one that was refused."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from components.event_logs.dead_letters import kept
from models.recipe.errors import InputError
from pipeline import cli
from pipeline.dead_letters import newest

LETTERS = pl.DataFrame(
    {
        "stream": ["click", "click", "click", "cart"],
        "file": ["b.csv", "a.csv", "a.csv", "c.csv"],
        "row": [1, 9, 2, 0],
        "reason": ["no time", "no time", "no time", "key 'user' is missing"],
        "raw": ['{"n": 1}', '{"n": 9}', '{"n": 2}', "x" * 400],
    }
)


def place(folder: Path, letters: pl.DataFrame = LETTERS) -> Path:
    folder.mkdir(parents=True)
    letters[:2].write_parquet(folder / "part-b.parquet")
    letters[2:].write_parquet(folder / "part-a.parquet")
    return folder


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as end:
        cli.main(["dead-letters", *arguments])
    told = capsys.readouterr()
    return int(end.value.code or 0), told.out + told.err


def test_by_reason_with_file_row_and_content(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = place(tmp_path / "artifacts" / "EventLogs" / "examples" / "9" / "dead_letters")
    place(tmp_path / "artifacts" / "EventLogs" / "examples" / "10" / "dead_letters", LETTERS.clear())
    assert said(capsys, str(tmp_path)) == (0, f"{folder.parents[1] / '10' / 'dead_letters'}: 0 malformed rows\n")
    assert said(capsys, str(folder), "--limit", "2") == (
        0,
        f"{folder}: 4 malformed rows\n\n"
        '3 x no time\n  click: a.csv, row 2: {"n": 2}\n  click: a.csv, row 9: {"n": 9}\n'
        "  and 1 more; --limit or --json shows them\n\n"
        f"1 x key 'user' is missing\n  cart: c.csv, row 0: {'x' * 300} ...\n",
    )
    code, out = said(capsys, str(folder), "--json", "--reason", "user")
    assert code == 0 and [json.loads(line) for line in out.splitlines()] == LETTERS[3:].to_dicts()


def test_those_of_a_refused_run_are_kept_and_are_the_newest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stage = tmp_path / "artifacts" / "EventLogs"
    place(stage / "examples" / "3" / "dead_letters", LETTERS.clear())
    for number in ("7", "12"):
        place(stage / "examples" / number / "dead_letters")
        error = kept(str(stage / "examples" / number), InputError("5% of the rows are malformed."))
        folder = stage / "refused" / number / "dead_letters"
        assert str(error) == (
            f"5% of the rows are malformed. To list the malformed rows, run: gatewise dead-letters {folder}"
        )
        (stage / "examples" / number / "dead_letters").rename(tmp_path / f"removed by TFX {number}")
    assert newest(tmp_path) == folder and [found.name for found in (stage / "refused").iterdir()] == ["12"]
    assert f"{folder} (the logs were refused): 4 malformed rows" in said(capsys, str(tmp_path))[1]


def test_logs_that_are_refused_before_they_are_read(tmp_path: Path) -> None:
    error = InputError("no file matches")
    assert kept(str(tmp_path / "examples" / "1"), error) is error and not (tmp_path / "refused").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((".",), "no dead letters here; expected a recipe's folder under the --root"),
        (
            ("shop", "--reason", "colour"),
            "--reason: no reason contains 'colour'. The reasons are \"key 'user' is missing\", 'no time'.",
        ),
    ],
)
def test_what_is_not_there(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    place(tmp_path / "shop" / "artifacts" / "EventLogs" / "examples" / "1" / "dead_letters")
    code, out = said(capsys, *arguments)
    assert code == 1 and words in out


@pytest.mark.parametrize("name", ["a[1]", "what?", "*", "{{x}}", "reason=none"])
def test_of_a_root_with_any_characters(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = place(tmp_path / name / "artifacts" / "EventLogs" / "examples" / "9" / "dead_letters")
    code, out = said(capsys, str(tmp_path / name), "--limit", "1")
    assert code == 0 and out.startswith(f"{folder}: 4 malformed rows\n\n3 x no time\n")
