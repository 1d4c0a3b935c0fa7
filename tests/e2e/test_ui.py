"""The web page on the first run of the shop: the playground ranks as `gatewise recommend` does, for a user of its eval examples."""

from __future__ import annotations

import json
import time
import urllib.request
from typing import Any

import pytest

from pipeline.recommending.recommend import recommend
from pipeline.ui import server

pytestmark = pytest.mark.slow


def test_the_page_of_a_real_run(first_run: Any) -> None:
    def text(path: str, body: Any = None) -> str:
        data = None if body is None else json.dumps(body).encode()
        asked = urllib.request.Request(url + path, data, {"Content-Type": "application/json"})
        with urllib.request.urlopen(asked, timeout=300) as answer:
            return str(answer.read().decode())

    with server.in_background(first_run.root) as url:
        while (found := json.loads(text("/api/model")))["state"] == "loading":
            time.sleep(0.2)
        about = found["about"]
        user = about["users"][0]
        assert user["history"] and set(user["values"]) >= {"segment", "country", "age", "device"}
        assert "position" not in {*user["values"], *(column["name"] for column in about["columns"])}, (
            "it has a served value"
        )
        asked = {"model": about["model"], "version": about["version"], "user": user["values"]}
        answer = json.loads(text("/api/rank", asked | {"history": user["history"], "weights": {"margin": 0.5}}))
        parts, report = (text(f"/runs/{about['run']}/{page}") for page in ("parts", "report"))

    expected = recommend(
        first_run.root / "serving" / "shop" / str(about["version"]),
        {**user["values"], "history": user["history"]},
        weights={"margin": 0.5},
    )
    assert [(item["item"], item["score"], item["tasks"]) for item in answer["items"]] == [
        (item["item"], item["score"], item["tasks"]) for item in expected.items
    ]
    assert len(answer["items"]) == 20 and [item["item"] for item in answer["history"]] == user["history"]
    assert "The recipe has no gates" in parts and "balanced" in parts and about["run"] in report
