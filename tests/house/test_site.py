"""The documentation site: it builds without a warning, and every page is in its navigation, as HTML and as Markdown."""

from __future__ import annotations

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in ("*.md", "docs/*.md", "kubeflow/*.md")
    for path in ROOT.glob(pattern)
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-c", "docs/site", "-d", folder / "doctrees"]
    built = subprocess.run([*command, ".", folder / "html"], cwd=ROOT, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    return folder / "html"


class Read(HTMLParser):
    """The links and the ids of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.ids: set[str] = {""}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if values.get("id"):
            self.ids.add(str(values["id"]))
        if tag in ("a", "img", "link", "script") and (link := values.get("href") or values.get("src")):
            self.links.add(link)


def test_every_page_is_there_as_html_and_as_markdown(site: Path) -> None:
    assert len(PAGES) >= 20
    for page in PAGES:
        assert (site / page).read_bytes() == (ROOT / page).read_bytes()
        text = (site / page).with_suffix(".html").read_text(encoding="utf-8")
        assert f'type="text/markdown" href="{Path(page).name}"' in text


def test_every_page_is_in_the_navigation(site: Path) -> None:
    index = (site / "docs" / "index.html").read_text(encoding="utf-8")
    tree = index[index.index('class="sidebar-tree"') : index.index('class="main"')]
    captions = re.findall(r'class="caption-text">([^<]*)<', tree)
    assert captions[0] == "Start" and len(captions) >= 9
    listed = {(site / "docs" / link).resolve() for link in re.findall(r'href="([^"#]+)"', tree)}
    expected = {(site / page).with_suffix(".html").resolve() for page in PAGES if page != "docs/index.md"}
    assert {path.relative_to(site) for path in expected - listed} == set()


def test_every_link_on_the_site_leads_somewhere(site: Path) -> None:
    read = {path: Read(path.read_text(encoding="utf-8")) for path in sorted(site.rglob("*.html"))}
    broken = []
    for path, page in read.items():
        for link in page.links:
            if re.match(r"[a-z]+:", link):
                continue
            target, _, anchor = link.partition("#")
            file = (path.parent / unquote(target.partition("?")[0])).resolve() if target else path
            if not file.exists() or (file in read and unquote(anchor) not in read[file].ids):
                broken.append(f"{path.relative_to(site)}: {link}")
    assert broken == []
