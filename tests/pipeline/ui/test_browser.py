"""The playground in a browser. Skipped without Playwright and Chromium, which gatewise does not install."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.ui import server

sync_api = pytest.importorskip("playwright.sync_api", exc_type=ImportError)
CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on PATH")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def opened(browser: Any, root: Path, stored: None, request: pytest.FixtureRequest) -> Iterator[Any]:
    """The playground of a model, with its list. No error reaches the console."""
    context, said = browser.new_context(reduced_motion="reduce"), []
    page = context.new_page()
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    with server.in_background(root) as url:
        page.goto(f"{url}/playground?model={request.param}")
        page.locator("#rows tr").first.wait_for(timeout=120_000)
        yield page
        context.close()
    assert said == []


def items(page: Any) -> list[str]:
    return [row.get_attribute("data-item") for row in page.locator("#rows tr").all()]


def shows(page: Any, expected: list[str]) -> None:
    sync_api.expect(page.locator("#rows .item")).to_contain_text([re.compile(rf"^{item}\b") for item in expected])


def changed(page: Any, words: str) -> None:
    sync_api.expect(page.locator("#status")).to_contain_text(words, timeout=60_000)


@pytest.mark.parametrize("opened", ["shop"], indirect=True)
def test_a_click_moves_the_list(opened: Any) -> None:
    """Bob: age 5, hour 3, history 16, 8; vector [5, 2]: 8 to 40 have 20, 15, 12, 5, 18 and clicks 9, 12, 12, 12, 14."""
    assert opened.locator("#user").input_value() == "0" and opened.locator("#field-who").input_value() == "Bob"
    shows(opened, ["40", "16", "24", "8"])
    assert opened.locator("#rows tr").first.locator(".place").inner_text().split() == ["2"]
    opened.locator('tr[data-item="24"]').get_by_role("button", name="order 24").click()
    # The vector is [5, 3]: 20, 15, 13, 5, 27.
    changed(opened, "The list did not move")
    assert opened.locator("#rows tr").first.locator(".place").inner_text().split() == ["1", "▲", "1"]
    assert opened.locator("#history li").first.inner_text().split() == ["24", "order", "x"]
    opened.get_by_role("button", name="Empty").click()
    changed(opened, "3 of the 4 shown moved or are new; 1 of the 4 candidates are new.")
    shows(opened, ["16", "24", "32", "8"])
    opened.get_by_role("button", name="Restore").click()
    shows(opened, ["40", "16", "24", "8"])


@pytest.mark.parametrize("opened", ["shop"], indirect=True)
def test_a_slider_and_a_value_move_the_list_from_the_keyboard(opened: Any) -> None:
    slider = opened.get_by_label("taste", exact=False).first
    slider.focus()
    opened.keyboard.press("Home")  # 0: all scores are equal, and ties keep the candidates' order
    changed(opened, "moved or are new")
    sync_api.expect(opened.locator("#rows .score output").first).to_have_text("0.0000")
    shows(opened, ["8", "40", "16", "24"])
    opened.get_by_role("button", name="Weights of the recipe").press("Enter")
    sync_api.expect(opened.locator("#rows .score output").first).to_have_text("28.0000")
    opened.locator("#field-age").fill("old")
    opened.keyboard.press("Tab")
    sync_api.expect(opened.locator("#refused")).to_have_text('age: expected a number, received "old".')
    opened.locator("#field-age").fill("6")
    opened.keyboard.press("Tab")
    sync_api.expect(opened.locator("#rows .score output").first).to_have_text("30.0000")
    assert opened.locator("#user").input_value() == "typed values" and opened.locator("#refused").is_hidden()
    button = opened.locator('tr[data-item="16"]').get_by_role("button", name="click 16")
    button.press("Enter")
    sync_api.expect(opened.locator("#history li").first).to_contain_text("16")
    assert opened.evaluate("document.activeElement.getAttribute('aria-label')") == "click 16: add it to the history"


@pytest.mark.parametrize("opened", ["alone"], indirect=True)
def test_without_a_retrieval_model(opened: Any) -> None:
    assert "the list cannot move" in opened.locator("#note").inner_text()
    before = items(opened)
    opened.locator("#rows button").first.click()
    changed(opened, "The list did not move.")
    assert items(opened) == before
    assert opened.locator("#history li").count() == 1
