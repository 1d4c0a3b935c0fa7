from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from models.recipe.errors import InputError
from pipeline import cli
from pipeline.output import output_file, require_folder, write_lines, write_output


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


ANSWERING = """
import sys
import types
from pipeline import cli
sys.modules["pipeline.predict"] = types.SimpleNamespace(
    answer=lambda *_: [{"click": 0.5}] * 100_000, newest_version=lambda model: model
)
cli.main(["predict", "m", "--input", "r", *sys.argv[1:]])
"""


def answering(redirected: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = f"{shlex.join([sys.executable, '-c', ANSWERING, *arguments])} {redirected}; exit ${{PIPESTATUS[0]}}"
    root = Path(write_output.__code__.co_filename).resolve().parents[1]
    return subprocess.run(["bash", "-c", command], capture_output=True, text=True, cwd=root)


@pytest.mark.parametrize(("redirected", "arguments"), [("> /dev/full", ()), ("", ("--output", "/dev/full"))])
def test_a_full_disk_is_one_line(redirected: str, arguments: tuple[str, ...]) -> None:
    done = answering(redirected, *arguments)
    where = "/dev/full" if arguments else "standard output"
    assert done.returncode == 1
    assert done.stderr.startswith(f"gatewise: {where}: cannot be written (No space left on device).")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("arguments", [(), ("--output", "/dev/stdout")])
def test_whoever_reads_may_go(arguments: tuple[str, ...]) -> None:
    done = answering("| head -1", *arguments)
    assert (done.returncode, done.stdout, done.stderr) == (141, '{"click": 0.5}\n', "")


def test_a_file_where_a_folder_is_to_be_written(tmp_path: Path) -> None:
    require_folder(tmp_path)
    require_folder(tmp_path / "new")
    with pytest.raises(InputError, match="/dev/null: is not a folder"):
        require_folder(Path("/dev/null"))


@pytest.mark.parametrize(
    ("command", "option"),
    [
        (("run", "recipe.yaml"), "--json"),
        (("predict", "model", "--input", "in.jsonl"), "--output"),
        (("request", "model", "--input", "in.jsonl"), "--output"),
    ],
)
def test_a_place_for_no_file_is_told_before_the_work(
    command: tuple[str, ...], option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """There is neither recipe nor model here, so that nothing but the option can have been looked at."""
    (tmp_path / "notes").touch()
    for name, words in (("", "is a folder, expected a file to write"), ("notes/new/out.json", "notes is not a folder")):
        with pytest.raises(SystemExit) as end:
            cli.main([*command, option, str(tmp_path / name)])
        assert end.value.code == 1 and words in capsys.readouterr().err


def test_places_for_a_file(tmp_path: Path) -> None:
    for place in (None, tmp_path / "new" / "out.json", Path("out.json"), Path("/dev/stdout"), Path("/dev/null")):
        assert output_file(place) == place
    (tmp_path / "link").symlink_to(tmp_path / "none" / "out.json")
    assert output_file(tmp_path / "link") == tmp_path / "link"
