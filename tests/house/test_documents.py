"""What the project says of itself is true, and what is in it belongs there."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline import command_docs
from pipeline.recipe_docs import stale

ROOT = Path(__file__).resolve().parents[2]
TRACKED = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")[
    :-1
]


def test_generated_pages_are_up_to_date() -> None:
    assert stale() == [], "run: make docs"
    assert command_docs.PAGE.read_text("utf-8") == command_docs.page(), "run: make docs"


def test_ci_runs_the_readme_s_test_command() -> None:
    command = "make test"
    assert command in (ROOT / "README.md").read_text()
    assert command in (ROOT / ".ci" / "run").read_text()


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them: lower case, without punctuation, `-` for a space."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    found: set[str] = set()
    for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE):
        slug = first = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        number = 0
        while slug in found:
            number += 1
            slug = f"{first}-{number}"
        found.add(slug)
    return found


@pytest.mark.parametrize("page", [name for name in TRACKED if name.endswith(".md")])
def test_links_of_pages_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text()
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)", text):
        file = (ROOT / page).parent / target if target else ROOT / page
        assert file.exists(), f"{page}: {target}"
        assert not anchor or anchor in anchors(file), f"{page}: {target}#{anchor}"


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


def shown_lines() -> Iterator[tuple[str, list[str]]]:
    """Page and words of each command of gatewise in a block of code of a page. A block of `text` shows a form, no command."""
    for name in (name for name in TRACKED if name.endswith(".md")):
        text = (ROOT / name).read_text(encoding="utf-8")
        for kind, block in re.findall(r"^ *```(\w*)\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL):
            for line in (
                block.replace("\\\n", " ").replace(" && ", "\n").splitlines() if kind in ("", "bash", "sh") else ()
            ):
                if re.match(r" *(\.venv/bin/)?gatewise ", line):
                    yield name, shlex.split(line, comments=True)[1:]


def test_every_command_in_a_block_of_code_parses() -> None:
    """Its options have values, and it has as many arguments as it needs. Values are not checked."""
    import typer
    import typer.main

    from pipeline.cli import app

    shown = list(shown_lines())
    assert len(shown) >= 100
    for page, words in shown:
        command: Any = typer.main.get_command(app)
        said = f"{page}: gatewise {shlex.join(words)}"
        while hasattr(command, "commands"):
            if words[0] not in command.commands and words[0] not in ("-v", "-q"):
                words = ["list", *words]  # gatewise runs [ROOT] is short for gatewise runs list [ROOT]
            command, words = command.commands[words[0]], words[1:]
        with typer.Context(command, info_name=command.name) as context:
            values, _, _ = command.make_parser(context).parse_args(args=list(words))
        missing = [
            parameter.name
            for parameter in command.params
            if parameter.required and not parameter.envvar and values.get(parameter.name) is None
        ]
        assert missing == [], said
