"""What no message says: the secrets of URLs, and more than a person reads."""

from __future__ import annotations

import pickle
from collections.abc import Callable

import pytest

from models.recipe.errors import GatewiseError, InputError, TrainingError, masked, shown

SECRETS = {
    "s3://AKIA:topsecret@bucket/a.csv: no": "s3://***@bucket/a.csv: no",
    "s3://AKIA:top/sec+ret=@bucket/a": "s3://***@bucket/a",
    "https://user:pw@host:8080/a": "https://***@host:8080/a",
    "https://user:p@w@host/a": "https://***@host/a",
    "https://ghp_token@host/a": "https://***@host/a",
    "--set data=s3://k:s@b: 'x'": "--set data=s3://***@b: 'x'",
    "see ['s3://k:s@b/1', 's3://b/2']": "see ['s3://***@b/1', 's3://b/2']",
    "https://b/a?AWSAccessKeyId=AKIA&Signature=a%2Fb&Expires=1 gone": (
        "https://b/a?AWSAccessKeyId=***&Signature=***&Expires=1 gone"
    ),
    "https://b/a?X-Amz-Credential=AKIA/1&X-Amz-Signature=ab": "https://b/a?X-Amz-Credential=***&X-Amz-Signature=***",
    "https://b/a?page=2&access_token=abc#id_token=d": "https://b/a?page=2&access_token=***#id_token=***",
    "https://b/a?sig=abc&se=2026": "https://b/a?sig=***&se=2026",
}
HARMLESS = [
    "s3://bucket/path/a@b.csv",
    "http://localhost:8888/a@b",
    "http://[::1]:8080/x",
    "s3://bucket/key=1/part=2/a.csv",
    "recipe.yaml:3: key: expected key=value; mail a@b.c",
]


@pytest.mark.parametrize("text", SECRETS)
@pytest.mark.parametrize("kind", [GatewiseError, InputError, TrainingError])
def test_no_error_says_a_secret(kind: type[GatewiseError], text: str) -> None:
    assert str(kind(text)) == SECRETS[text]
    assert "secret" not in repr(kind(text)) and "AKIA" not in repr(kind(text))


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_no_secret_stays(text: str) -> None:
    assert masked(text) == text == str(InputError(text))


def test_a_line_of_a_megabyte_is_cut_in_its_middle() -> None:
    message = str(InputError(f"a.yaml:1: received {'x' * 10**6}. Remove it.\nsecond"))
    first, second = message.split("\n")
    assert first.startswith("a.yaml:1: received xxx") and first.endswith("xx. Remove it.") and second == "second"
    assert "characters left out" in first and len(first) < 2_100


def test_an_error_crosses_processes_as_it_is() -> None:
    error = pickle.loads(pickle.dumps(InputError("s3://k:s@b: no")))
    assert (type(error), str(error)) == (InputError, "s3://***@b: no")


def test_what_was_received_is_shown_up_to_its_beginning() -> None:
    assert (shown("a"), shown([1, "b"]), shown(None)) == ("'a'", "[1, 'b']", "None")
    assert shown("x" * 10**6) == f"'{'x' * 200}'..."
    assert shown(["x"] * 10**5) == repr(["x"] * 10**5)[:200] + "..."


@pytest.mark.parametrize(
    "wrap", [str, lambda text: [text], lambda text: {"path": text}], ids=["text", "list", "mapping"]
)
def test_the_cut_never_lies_inside_of_a_secret(wrap: Callable[[str], object]) -> None:
    """`s3://KEY:SEC` without what comes behind it is no URL with a secret any more, for whoever masks it."""
    for before in range(150, 205):
        assert "KEY" not in str(InputError(shown(wrap("x" * before + "s3://KEY:SECRET@bucket"))))
