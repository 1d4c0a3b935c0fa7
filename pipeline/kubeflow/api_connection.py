"""Creates a `kfp.Client` after checking that the host is Kubeflow Pipelines 2.

Without this check, the client retries five times with five seconds between, prints tracebacks, and treats a login page as an
empty response.
"""

from __future__ import annotations

import dataclasses
import json
import os
import ssl
import warnings
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import certifi
import urllib3
from kfp import Client

from models.recipe.errors import InputError
from pipeline.kubeflow.api_errors import refused, said, unreachable

TOKEN, TOKEN_FILE, COOKIE = "KFP_TOKEN", "KF_PIPELINES_SA_TOKEN_PATH", "KFP_COOKIE"
"""Environment variables. Secrets are not options, because every process can read a command line."""

_TIMEOUT = urllib3.Timeout(connect=10, read=30)


@dataclasses.dataclass(frozen=True)
class Connection:
    """Address of a server, and credentials.

    Attributes:
        host: address without a trailing slash.
        namespace: the user's namespace on a multi-user server; None on a single-user server.
        ca_cert: certificate of the authority that signed the server's certificate; None: certifi's authorities.
        token: bearer token.
        cookie: session cookie.
    """

    host: str
    namespace: str | None = None
    ca_cert: Path | None = None
    token: str | None = dataclasses.field(default=None, repr=False)
    cookie: str | None = dataclasses.field(default=None, repr=False)

    def client(self) -> Client:
        """Creates the client.

        Raises:
            InputError: the host does not respond, is not Kubeflow Pipelines 2 or denies access, or the namespace is missing.
        """
        healthz = self._look("healthz", {})
        if healthz.get("multi_user") and self.namespace is None:
            raise InputError(f"{self.host}: this is a multi-user server. Set your namespace: --namespace NAME.")
        # This request checks the credentials: proxies often leave healthz open.
        self._look("pipelines", {"page_size": "1", **({"namespace": self.namespace} if self.namespace else {})})
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a notice that it works with servers from 2.0 on
            return Client(
                host=self.host,
                namespace=self.namespace or "kubeflow",
                existing_token=self.token,
                cookies=self.cookie,
                ssl_ca_cert=str(self.ca_cert) if self.ca_cert else None,
            )

    def _look(self, route: str, query: dict[str, str]) -> dict[str, Any]:
        """Sends a GET request and returns its JSON."""
        headers = {"Accept": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if self.cookie:
            headers["Cookie"] = self.cookie
        url = f"{self.host}/apis/v2beta1/{route}{'?' + urlencode(query) if query else ''}"
        authorities = str(self.ca_cert) if self.ca_cert else certifi.where()
        doing = f"GET /apis/v2beta1/{route}"
        with urllib3.PoolManager(cert_reqs="CERT_REQUIRED", ca_certs=authorities) as pool:
            try:
                answer = pool.request("GET", url, headers=headers, timeout=_TIMEOUT, retries=1, redirect=False)
            except (urllib3.exceptions.HTTPError, OSError) as error:
                raise unreachable(self.host, doing, error) from None
        if answer.status != 200:
            raise refused(self.host, doing, answer.status, answer.data)
        try:
            content = json.loads(answer.data)
        except ValueError:
            content = None
        if not isinstance(content, dict):
            raise InputError(
                f"{self.host}: {doing}: expected JSON, received {said(answer.data)[:80]!r}. This is a login page or another "
                f"page: set {TOKEN} or {COOKIE}, or set --host to the part of the address before /apis/v2beta1."
            )
        return content


def connection(host: str, namespace: str | None, ca_cert: Path | None) -> Connection:
    """Creates the connection from the options and the environment.

    Raises:
        InputError: the address is invalid, or a file cannot be read.
    """
    if not host.startswith(("http://", "https://")):
        raise InputError(f"--host {host}: expected an address with http:// or https://, such as http://localhost:8888.")
    if ca_cert is not None:
        try:
            ssl.create_default_context(cafile=ca_cert)
        except OSError as error:
            raise InputError(f"--ca-cert {ca_cert}: expected certificates in PEM format ({error.strerror}).") from None
    token, file = os.environ.get(TOKEN), os.environ.get(TOKEN_FILE)
    if not token and file:
        try:
            token = Path(file).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise InputError(
                f"{TOKEN_FILE}={file}: cannot be read ({error.strerror}). Unset it, or set {TOKEN}."
            ) from None
    return Connection(host.rstrip("/"), namespace, ca_cert, token or None, os.environ.get(COOKIE) or None)
