"""A recipe with a secret in a URL is refused, and the message does not repeat it."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.recipe.errors import InputError
from models.recipe.file import load_recipe
from tests.models.recipe.test_yaml_document import LABELLED

URLS = ["s3://akia:topsecret@shop/logs", "s3://shop/logs?AWSAccessKeyId=akia&Signature=topsecret"]
PLACES = {
    "data": ("split:", "data: '{}'\nsplit:", "data"),
    "examples": ("path: a.csv", "path: '{}'", "examples.path"),
    "root": (
        "split:",
        "kubeflow: {image: a, root: /g, data: /d, pipeline_root: '{}'}\nsplit:",
        "kubeflow.pipeline_root",
    ),
    "environment": (
        "split:",
        "kubeflow: {image: a, root: /g, data: /d, pipeline_root: s3://b, defaults: {environment: {PROXY: '{}'}}}\nsplit:",
        "kubeflow.defaults.environment.PROXY",
    ),
    "unknown key": ("split:", "dta: '{}'\nsplit:", "dta"),
    "wrong type": ("split: {", "split: {eval_last: '{}', ", "split.eval_last"),
}


@pytest.mark.parametrize("url", URLS)
@pytest.mark.parametrize("place", PLACES)
def test_no_secret_in_a_recipe_nor_in_its_message(place: str, url: str, tmp_path: Path) -> None:
    old, new, key = PLACES[place]
    (tmp_path / "recipe.yaml").write_text(LABELLED.replace(old, new.replace("{}", url), 1))
    with pytest.raises(InputError) as error:
        load_recipe(tmp_path / "recipe.yaml")
    message = str(error.value)
    assert key in message and "topsecret" not in message and "akia" not in message
    if place not in ("unknown key", "wrong type"):
        assert (
            f"{key}: " in message
            and "credentials in a URL would appear in logs, metadata and manifests. Remove them" in message
        )


def test_data_given_as_an_option(tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text(LABELLED)
    with pytest.raises(InputError, match=r"data: s3://\*\*\*@shop/logs: credentials in a URL"):
        load_recipe(tmp_path / "recipe.yaml", data=URLS[0])
    with pytest.raises(
        InputError, match=r"--set data=s3://\*\*\*@shop/logs: s3://\*\*\*@shop/logs: credentials in a URL"
    ):
        load_recipe(tmp_path / "recipe.yaml", [f"data={URLS[0]}"])


def test_a_value_of_data_may_be_any_url(tmp_path: Path) -> None:
    url = "['https://a.b/?token=1']"
    text = LABELLED.replace("[rich]", url).replace("{path: a.csv}", f"{{path: a.csv, nulls: {url}}}")
    assert text.count(url) == 2
    (tmp_path / "recipe.yaml").write_text(text)
    assert load_recipe(tmp_path / "recipe.yaml").tasks["income"].label is not None
