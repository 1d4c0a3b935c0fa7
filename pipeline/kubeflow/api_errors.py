"""Converts errors of the Kubeflow Pipelines API to messages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import kfp_server_api
import urllib3

from models.recipe.errors import InputError

LONGEST = 300

_ADVICE = {
    400: "Kubeflow Pipelines refuses this request. gatewise and the server may have incompatible versions.",
    401: "To authenticate, set KFP_TOKEN (a bearer token) or KFP_COOKIE (such as authservice_session=...).",
    403: "Your account lacks the permission: request it, or choose your own --namespace.",
    404: "If the route is missing, check --host: it is the part of the address before /apis/v2beta1, such as "
    "http://localhost:8888. If an object is missing, it was deleted meanwhile: run the command again.",
    409: "It exists already. It was created meanwhile (run the command again), or it was renamed in Kubeflow's pages (restore "
    "its name).",
    429: "The server is overloaded: run the command again later.",
}
_MOVED = (
    "The server redirects to a login or another address: set KFP_TOKEN or KFP_COOKIE, or set --host to the new address."
)
_SERVER_ERROR = "The server failed: check the logs of ml-pipeline, then run the command again."


def said(body: bytes | str | None) -> str:
    """The message in a response body, on one line: from the JSON of the gateway or upload server, or the start of the text."""
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
    """The error for a response with an unexpected status."""
    general = _SERVER_ERROR if status >= 500 else _MOVED if status < 400 else "See the server's message."
    advice = _ADVICE.get(status, general)
    message = said(body)
    end = "" if message.endswith((".", "!", "?")) else "."
    return InputError(f"{host}: {doing} returned status {status}{': ' if message else ''}{message}{end} {advice}")


def unreachable(host: str, doing: str, error: Exception) -> InputError:
    """The error for a server that does not respond."""
    reason = " ".join(str(getattr(error, "reason", None) or error).split())[:LONGEST]
    if "SSL" in reason or "certificate" in reason:
        advice = "The certificate is not trusted: pass its authority's certificate with --ca-cert FILE."
    else:
        advice = "Check --host, and that the server runs. To forward its port: kubectl port-forward svc/ml-pipeline 8888:8888."
    return InputError(f"{host}: {doing} got no response ({reason}). {advice}")


@contextmanager
def explained(host: str, doing: str) -> Iterator[None]:
    """In this context, errors of `kfp.Client` are raised as InputError.

    Args:
        host: the server's address.
        doing: description of the calls, such as "listing the schedules".

    Raises:
        InputError: a call failed.
    """
    try:
        yield
    except kfp_server_api.ApiException as error:
        if error.status:
            raise refused(host, doing, error.status, error.body) from None
        raise unreachable(host, doing, error) from None
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise unreachable(host, doing, error) from None
