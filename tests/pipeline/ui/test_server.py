"""The pages and the JSON, over HTTP."""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from models.recipe.errors import InputError
from pipeline import cli
from pipeline.ui import server
from tests.doubles.run_records import A, B, C, record, write

VERSION = 1700000000


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    text: str

    @property
    def words(self) -> str:
        """The text of a page without its tags."""
        return " ".join(re.sub(r"<[^>]+>", " ", self.text).split())


class Client:
    def __init__(self, url: str) -> None:
        self._place = url.removeprefix("http://")

    def ask(self, path: str, body: Any = None, **headers: str) -> Answer:
        connection = HTTPConnection(self._place, timeout=120)
        data = None if body is None else body if isinstance(body, str) else json.dumps(body)
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if data is not None:
            given.setdefault("Content-Type", "application/json")
        connection.request("GET" if data is None else "POST", path, data, given)
        response = connection.getresponse()
        answer = Answer(response.status, dict(response.getheaders()), response.read().decode())
        connection.close()
        return answer

    def loaded(self, query: str) -> dict[str, Any]:
        for _ in range(600):
            found = json.loads(self.ask(f"/api/model{query}").text)
            if found["state"] != "loading":
                return found
            time.sleep(0.1)
        raise AssertionError("the model is not loaded after a minute")


@pytest.fixture
def client(root: Path, stored: None) -> Iterator[Client]:
    with server.in_background(root) as url:
        yield Client(url)


def test_the_playground_is_the_first_page(client: Client) -> None:
    first = client.ask("/")
    assert (first.status, first.headers["Location"]) == (302, "/playground")
    page = client.ask("/playground?model=shop")
    assert page.status == 200 and "<option selected>shop</option>" in page.text
    assert '<a href="/playground" aria-current="page">' in page.text


def test_no_page_needs_another_host_and_no_script_is_in_it(client: Client) -> None:
    for path in ("/playground", "/runs", f"/runs/{B}", "/versions", "/comparisons"):
        page = client.ask(path)
        assert page.status == 200
        assert re.findall(r"(?:src|href)=\"(?!/|#)", page.text) == []
        assert re.findall(r"<script(?! src=)|\son\w+=", page.text) == []
        assert page.headers["Content-Security-Policy"].startswith("default-src 'self'; ")
        for address in re.findall(r'(?:src|href)="(/(?:static|report)[^"]*)"', page.text):
            assert client.ask(address).status == 200


def test_runs(client: Client, root: Path) -> None:
    page = client.ask("/runs")
    assert [match for match in re.findall(r'href="/runs/([^"]+)"', page.text)] == [C, B, A]
    assert "0.7500 auc ± 0.0150" in page.words
    assert "<code>training.seed=&lt;2&gt;</code>" in page.text, "escaped"
    assert f"{root}/*/logs/*.json" in page.text


def test_a_run(client: Client, root: Path) -> None:
    page = client.ask(f"/runs/{B}")
    assert "click examples: 100" in page.words and "log_loss 0.3000 –" in page.words
    assert f"Source: {root}/shop/logs/{B}.json" in page.words
    assert "click auc 0.75: at least 0.8" in client.ask(f"/runs/{C}").words
    parts = client.ask(f"/runs/{B}/parts").words
    assert "1 of 1 gates passed" in parts and "shown 31 30 1" in parts and "balanced" in parts
    report = client.ask(f"/runs/{B}/report")
    assert report.text.startswith("<!doctype html>") and f"Run {B}" in report.words


def test_a_report_is_made_once(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline import report

    pages: list[Any] = []
    monkeypatch.setattr(report, "page", lambda data: pages.append(data) or f"report {len(pages)}")
    assert [client.ask(f"/runs/{run}/report").text for run in (A, B, A)] == ["report 1", "report 2", "report 1"]


def test_versions_and_comparisons(client: Client) -> None:
    page = client.ask("/versions")
    assert f"/playground?model=shop&amp;version={VERSION}" in page.text
    assert "served shop, shop_retrieval" in page.words and "held click auc 0.7500" in page.words
    assert "No method is better." in client.ask("/comparisons").words
    assert client.ask("/comparisons/shop/ab12").text == "<h1>Compared</h1>"
    assert client.ask("/comparisons/shop/..").status == 404


def test_a_model_is_loaded_and_ranks(client: Client) -> None:
    found = client.loaded("?model=shop")
    assert found["state"] == "ready" and found["about"]["version"] == VERSION
    answer = client.ask("/api/rank", {"model": "shop", "version": VERSION, "user": {"age": 2, "hour": 1}, "k": 1})
    [item] = json.loads(answer.text)["items"]
    assert (item["item"], item["score"], item["tasks"]) == ("16", 14.0, {"click": 7.0})


def test_a_model_that_cannot_be_loaded(tmp_path: Path) -> None:
    version = tmp_path / "serving" / "shop" / "1"
    (version / "variables").mkdir(parents=True)
    (version / "saved_model.pb").touch()
    with server.in_background(tmp_path) as url:
        found = Client(url).loaded("")
    assert found["state"] == "failed" and "found no assets.extra/inputs.json" in found["message"]


@pytest.mark.parametrize(
    ("path", "body", "status", "words"),
    [
        ("/nowhere", None, 404, "No page /nowhere."),
        ("/runs/1999", None, 404, "unknown run"),
        ("/comparisons/shop/none", None, 404, "no comparison"),
        ("/api/model?model=shopp", None, 404, "did you mean"),
        ("/api/model?version=x", None, 404, "expected a number"),
        ("/api/rank", "{", 400, "expected a JSON object"),
        ("/api/rank", "[]", 400, "expected a JSON object with `model` and `version`"),
        ("/api/rank", {"model": "shop", "user": {"agee": 1}}, 400, "did you mean"),
    ],
)
def test_what_cannot_be_answered(client: Client, path: str, body: Any, status: int, words: str) -> None:
    answer = client.ask(path, body)
    assert answer.status == status and words in answer.text


def test_other_sites_are_kept_out(client: Client) -> None:
    assert client.ask("/runs", Host="shop.example.com").status == 403
    assert client.ask("/runs", Host="localhost:80").status == 200
    assert client.ask("/api/rank", "{}", Content_Type="text/plain").status == 415


def test_the_names_of_loopback() -> None:
    assert [server.is_loopback(name) for name in ("127.0.0.1", "127.8.8.8", "::1", "[::1]", "localhost")] == [True] * 5
    assert not any(server.is_loopback(name) for name in ("0.0.0.0", "::", "10.0.0.1", "localhost.example.com", ""))
    server.check_host("0.0.0.0", public=True)
    with pytest.raises(InputError, match=r"--host 0\.0\.0\.0: other machines .* Add --public"):
        server.check_host("0.0.0.0", public=False)


def test_the_first_page_without_a_model(tmp_path: Path) -> None:
    write(tmp_path, record(A, serving=None, pushed=None))
    with server.in_background(tmp_path) as url:
        assert Client(url).ask("/").headers["Location"] == "/runs"
        assert 'href="/playground"' not in Client(url).ask("/runs").text
        assert "No version was pushed" in Client(url).ask("/versions").text
        assert "No comparison" in Client(url).ask("/comparisons").text


def test_what_the_command_refuses(tmp_path: Path, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def refused(*arguments: object) -> str:
        with pytest.raises(SystemExit) as end:
            cli.main(["ui", *map(str, arguments)])
        assert end.value.code == 1
        return capsys.readouterr().err

    assert "no run, no pushed model and no comparison" in refused(tmp_path)
    assert "--host 0.0.0.0: other machines could reach" in refused(root, "--host", "0.0.0.0")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert f"--host 127.0.0.1 --port {port}: cannot listen there: Address already in use" in refused(
            root, "--port", port
        )


def test_the_files_of_the_page_are_in_the_package() -> None:
    source = Path(__file__).parents[3]
    package_data = re.search(r"package_data=(\{.*?\})", (source / "setup.py").read_text())
    assert package_data is not None
    folder = source / "pipeline" / "ui"
    kept = {file for pattern in json.loads(package_data[1])["pipeline.ui"] for file in folder.glob(pattern)}
    assert kept == {file for name in ("static", "templates") for file in (folder / name).iterdir()}
