"""What the project says of itself is true, and what is in it belongs there."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from pipeline.recipe_docs import stale

ROOT = Path(__file__).resolve().parents[2]
TRACKED = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")[
    :-1
]


def test_generated_pages_are_up_to_date() -> None:
    assert stale() == [], "run: make docs"


def test_ci_runs_the_readme_s_test_command() -> None:
    command = "make test"
    assert command in (ROOT / "README.md").read_text()
    assert command in (ROOT / ".ci" / "run").read_text()


@pytest.mark.parametrize("page", [name for name in TRACKED if name.endswith(".md")])
def test_links_of_pages_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text()
    for target in re.findall(r"\]\((?!http|#)([^)#]+)", text):
        assert ((ROOT / page).parent / target).exists(), f"{page}: {target}"


def test_no_registry_host_in_any_file() -> None:
    hosts = re.compile(
        r"pypi\.org|pythonhosted|deb\.debian\.org|archive\.ubuntu|registry\.npmjs|--index-url|--extra-index-url"
    )
    mine = Path(__file__).relative_to(ROOT).as_posix()
    found = [name for name in TRACKED if name != mine and hosts.search((ROOT / name).read_text(errors="ignore"))]
    assert found == []


def test_no_data_and_no_large_files_are_tracked() -> None:
    assert [name for name in TRACKED if re.search(r"\.(parquet|arrow|tfrecord|pb|keras|h5)$", name)] == []
    large = [name for name in TRACKED if (ROOT / name).stat().st_size > 200_000 and not name.endswith(".lock")]
    assert large == []


def test_source_files_are_one_idea_long() -> None:
    long = {name: len((ROOT / name).read_text().splitlines()) for name in TRACKED if name.endswith(".py")}
    assert {name: lines for name, lines in long.items() if lines > 300 and not name.startswith("tests/")} == {}


COMMAND = re.compile(r"(?:^|[` /])gatewise ([\w-]+) ([^`#\n]*)")


def commands() -> list[tuple[str, str, str]]:
    pages = [
        name for name in TRACKED if name.endswith((".md", ".yaml", "Makefile", "cli.py", "command.py", "commands.py"))
    ]
    texts = {name: (ROOT / name).read_text().replace(" && ", "\n ") for name in pages}
    found = [(name, *match) for name, text in texts.items() for match in COMMAND.findall(text)]
    return [(name, command, rest) for name, command, rest in found if "--" in rest or ".yaml" in rest]


def test_every_command_that_is_shown_exists_with_its_options() -> None:
    import typer.main

    from pipeline.cli import app

    known = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    shown = commands()
    assert len(shown) >= 10
    for page, command, rest in shown:
        assert command in known, f"{page}: gatewise {command}"
        shown_command = known[command]
        if hasattr(shown_command, "commands"):  # a group: its command is the next word
            assert rest.split()[0] in shown_command.commands, f"{page}: gatewise {command} {rest}"
            shown_command = shown_command.commands[rest.split()[0]]
        options = {option for parameter in shown_command.params for option in parameter.opts}
        for option in re.findall(r"(?<!\S)--[a-z-]+", rest):
            assert option in options, f"{page}: gatewise {command} {option}"
