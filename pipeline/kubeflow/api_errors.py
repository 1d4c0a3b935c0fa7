"""What a call to Kubeflow Pipelines' API can end in, as a message: where, what was expected, what came, what to do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import kfp_server_api
import urllib3

from models.recipe.errors import InputError

LONGEST = 300

_ADVICE = {
    400: "Kubeflow Pipelines refuses this; gatewise and the server may be of different versions.",
    401: "It wants to know who you are: set KFP_TOKEN (a bearer token) or KFP_COOKIE (such as authservice_session=...).",
    403: "You may not do this there: ask for the rights, or name your own --namespace.",
    404: "Where the route is meant, check --host: it is the address in front of /apis/v2beta1, such as "
    "http://localhost:8888. Where a thing is meant, somebody deleted it in between: run the command again.",
    409: "It is there already: somebody made it at this moment (run the command again), or it is shown under another name in "
    "Kubeflow's pages (give it its own back).",
    429: "It has too much to do: run the command again later.",
}
_MOVED = "A log-in or another address stands before it: set KFP_TOKEN or KFP_COOKIE, or give the new address as --host."
_SERVER_ERROR = "The server is in trouble: look at the logs of ml-pipeline, then run the command again."


def said(body: bytes | str | None) -> str:
    """The message in an answer's body, on one line: JSON as the gateway or the upload server write it, or the text's beginning."""
    text = body.decode("utf-8", errors="replace") if isinstance(body, bytes) else body or ""
    try:
        answer = json.loads(text)
    except ValueError:
        answer = None
    if isinstance(answer, dict):
        text = str(answer.get("message") or answer.get("error_message") or answer.get("error") or text)
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else text[:LONGEST] + " ..."


def refused(host: str, doing: str, status: int, body: bytes | str | None) -> InputError:
    """The error of an answer with another status than was hoped for."""
    general = _SERVER_ERROR if status >= 500 else _MOVED if status < 400 else "See the server's message."
    advice = _ADVICE.get(status, general)
    message = said(body)
    end = "" if message.endswith((".", "!", "?")) else "."
    return InputError(
        f"{host}: {doing} was answered with status {status}{': ' if message else ''}{message}{end} {advice}"
    )


def unreachable(host: str, doing: str, error: Exception) -> InputError:
    """The error of a server that gives no answer."""
    reason = " ".join(str(getattr(error, "reason", None) or error).split())[:LONGEST]
    if "SSL" in reason or "certificate" in reason:
        advice = "The certificate is not trusted: give its authority's as --ca-cert FILE."
    else:
        advice = (
            "Check --host, and that the server runs; kubectl port-forward svc/ml-pipeline 8888:8888 brings it near."
        )
    return InputError(f"{host}: {doing} got no answer ({reason}). {advice}")


@contextmanager
def explained(host: str, doing: str) -> Iterator[None]:
    """Around calls of `kfp.Client`.

    Args:
        host: the server's address.
        doing: what the calls are for, in words ("listing the schedules").

    Raises:
        InputError: what the client raised, as a message.
    """
    try:
        yield
    except kfp_server_api.ApiException as error:
        if error.status:
            raise refused(host, doing, error.status, error.body) from None
        raise unreachable(host, doing, error) from None
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise unreachable(host, doing, error) from None
