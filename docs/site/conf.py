"""Configuration of Sphinx for the documentation site: `make site`.

The source folder is the project's root, so that the relative links of a page are the same on the site and in the repository.
"""

from __future__ import annotations

import html
import re
import shutil
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("docs", "kubeflow")  # with pages
SECTION = re.compile(r"^## (.+)\n\n((?:^- \[.*\n(?:^  .*\n)*)+)", re.MULTILINE)
LISTED = re.compile(r"^- \[([^\]]+)\]\(([^)]+)\.md\)", re.MULTILINE)

project = "gatewise"
author = "gatewise"
html_title = "gatewise"
root_doc = "docs/index"
extensions = ["myst_parser"]
include_patterns = ["*.md", "docs/*.md", "kubeflow/*.md"]
exclude_patterns = [path.name for path in ROOT.iterdir() if path.is_dir() and path.name not in FOLDERS]
myst_heading_anchors = 4
highlight_language = "none"
smartquotes = False  # they would turn the -- of an option into a dash
templates_path = ["templates"]
html_static_path = ["static"]
html_css_files = ["site.css"]
html_theme = "furo"
html_theme_options = {"top_of_page_buttons": ["view"]}
html_additional_pages = {"index": "to_index.html"}
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False


def navigation(page: str) -> str:
    """The page, each section that is a list of pages followed by these pages as a part of the navigation."""

    def tree(section: re.Match[str]) -> str:
        entries = "".join(f"{title} </{_from_root(target)}>\n" for title, target in LISTED.findall(section[2]))
        return f"{section[0]}\n```{{toctree}}\n:caption: {section[1]}\n:hidden:\n\n{entries}```\n"

    return SECTION.sub(tree, page)


def _from_root(target: str) -> str:
    return (ROOT / "docs" / target).resolve().relative_to(ROOT).as_posix()


def _read(app: Any, name: str, source: list[str]) -> None:
    if name == root_doc:
        source[0] = navigation(source[0])


def _link_markdown(app: Any, name: str, template: str, context: dict[str, Any], tree: Any) -> None:
    if tree is not None:
        file = f"{name.rpartition('/')[2]}.md"
        context["theme_source_view_link"] = file
        context["metatags"] = (
            context.get("metatags", "") + f'<link rel="alternate" type="text/markdown" href="{html.escape(file)}">'
        )


def _copy_markdown(app: Any, error: Exception | None) -> None:
    if error is None:
        for name in app.env.found_docs:
            shutil.copyfile(ROOT / f"{name}.md", Path(app.outdir) / f"{name}.md")


def setup(app: Any) -> dict[str, Any]:
    """Registers the navigation and the Markdown of each page, `PAGE.md` beside `PAGE.html`."""
    app.connect("source-read", _read)
    app.connect("html-page-context", _link_markdown)
    app.connect("build-finished", _copy_markdown)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
