"""The routes, over HTTP on the loopback."""

from __future__ import annotations

import base64
import dataclasses
import email.parser
import email.policy
import json
import re
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from kubeflow_api.store import ApiError, Row, Store

ROOT = "/apis/v2beta1"
LARGEST_PAGE, DEFAULT_PAGE = 200, 20


@dataclasses.dataclass
class Server:
    """A running server.

    Attributes:
        url: its address.
        store: its state.
        requests: (method, route) of what was asked, in order.
        token: the bearer token that it wants, and cookie: None: it wants none.
        cut_before: the number of the writing request (from 1) that is not even heard, and all after it; None: all are.
        cut_after: the number of the one that is obeyed but whose answer gets lost, as all after it are not heard.
        answer: (status, content type, body) of every answer, instead of what was asked for; of those that match `answered`.
    """

    url: str = ""
    store: Store = dataclasses.field(default_factory=Store)
    requests: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    token: str | None = None
    cookie: str | None = None
    cut_before: int | None = None
    cut_after: int | None = None
    answer: tuple[int, str, str] | None = None
    answered: str = ""

    @property
    def writes(self) -> list[tuple[str, str]]:
        """The requests that change something."""
        return [request for request in self.requests if request[0] != "GET"]


class _QuietServer(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that does not like the certificate hangs up: nothing on the console."""


@contextmanager
def serving(tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """A server while the block runs, with TLS where its certificate is given."""
    server = Server()
    http = _QuietServer(("127.0.0.1", 0), _handler(server))
    if tls is not None:
        http.socket = tls.wrap_socket(http.socket, server_side=True, do_handshake_on_connect=False)
    server.url = f"{'http' if tls is None else 'https'}://127.0.0.1:{http.server_port}"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()


def _page(rows: list[Row], items: str, query: dict[str, str]) -> Row:
    """A page of rows that the filter leaves, with the token of the next one."""
    predicates = json.loads(query.get("filter") or "{}").get("predicates", [])
    for predicate in predicates:
        if predicate["operation"] not in ("EQUALS", 1) or predicate["key"] != "display_name":
            raise ApiError(400, 3, f"Invalid input error: failed to parse valid filter from {predicates}")
        # The database compares without case.
        rows = [row for row in rows if row["display_name"].lower() == predicate["stringValue"].lower()]
    if query.get("sort_by", "").endswith(" desc"):
        rows = rows[::-1]
    size = min(int(query.get("page_size") or DEFAULT_PAGE), LARGEST_PAGE)
    begin = int(base64.b64decode(query["page_token"])) if query.get("page_token") else 0
    page: Row = {items: rows[begin : begin + size], "total_size": len(rows)}
    if begin + size < len(rows):
        page["next_page_token"] = base64.b64encode(str(begin + size).encode()).decode()
    return page


def _of_namespace(rows: dict[str, Row], query: dict[str, str]) -> list[Row]:
    return [row for row in rows.values() if row.get("namespace", "") == query.get("namespace", "")]


Route = Callable[[Store, tuple[str, ...], dict[str, str], Any], Row]
_ROUTES: list[tuple[str, str, Route]] = [
    ("GET", r"/healthz", lambda store, ids, query, body: {"multi_user": store.multi_user}),
    (
        "GET",
        r"/pipelines",
        lambda store, ids, query, body: _page(_of_namespace(store.pipelines, query), "pipelines", query),
    ),
    ("POST", r"/pipelines", lambda store, ids, query, body: store.create_pipeline(body)),
    (
        "POST",
        r"/pipelines/upload_version",
        lambda store, ids, query, body: store.upload_version(query.get("pipelineid"), query["name"], body),
    ),
    (
        "GET",
        r"/pipelines/([^/]+)/versions",
        lambda store, ids, query, body: _page(
            [row for row in store.versions.values() if row["pipeline_id"] == ids[0]], "pipeline_versions", query
        ),
    ),
    (
        "GET",
        r"/experiments",
        lambda store, ids, query, body: _page(_of_namespace(store.experiments, query), "experiments", query),
    ),
    ("POST", r"/experiments", lambda store, ids, query, body: store.create_experiment(body)),
    (
        "GET",
        r"/recurringruns",
        lambda store, ids, query, body: _page(_of_namespace(store.recurring_runs, query), "recurringRuns", query),
    ),
    ("POST", r"/recurringruns", lambda store, ids, query, body: store.create_recurring_run(body)),
    (
        "POST",
        r"/recurringruns/([^/:]+):(enable|disable)",
        lambda store, ids, query, body: store.set_mode(ids[0], ids[1] == "enable") or {},
    ),
    (
        "DELETE",
        r"/recurringruns/([^/:]+)",
        lambda store, ids, query, body: store.delete_recurring_run(ids[0], query.get("propagation_policy")) or {},
    ),
    (
        "GET",
        r"/runs",
        lambda store, ids, query, body: _page(
            [row for row in store.runs.values() if row["experiment_id"] == query.get("experiment_id")], "runs", query
        ),
    ),
    ("GET", r"/runs/([^/:]+)", lambda store, ids, query, body: store.see_run(ids[0])),
    ("POST", r"/runs", lambda store, ids, query, body: store.create_run(body)),
]


def _handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body in one packet, or each answer waits for the one's acknowledgement

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            route = parts.path.removeprefix(ROOT)
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            server.requests.append((self.command, route))
            number = len(server.writes)
            cut = self.command != "GET" and (
                (server.cut_before is not None and number >= server.cut_before)
                or (server.cut_after is not None and number > server.cut_after)
            )
            if cut:
                self.close_connection = True
                return
            if server.answer is not None and re.search(server.answered, f"{self.command} {route}"):
                self._send(*server.answer)
                return
            query = {key: values[0] for key, values in parse_qs(parts.query).items()}
            status, answer = self._answer(parts.path, route, query, content)
            if self.command != "GET" and server.cut_after is not None and number == server.cut_after:
                self.close_connection = True
                return
            self._send(status, "application/json", json.dumps(answer))

        do_POST = do_DELETE = do_GET

        def _answer(self, path: str, route: str, query: dict[str, str], content: bytes) -> tuple[int, Row]:
            try:
                if server.token is not None and self.headers.get("Authorization") != f"Bearer {server.token}":
                    raise ApiError(401, 16, "Unauthenticated: Request header error: there is no user identity header.")
                if server.cookie is not None and self.headers.get("Cookie") != server.cookie:
                    raise ApiError(401, 16, "Unauthenticated: no session")
                for method, pattern, act in _ROUTES:
                    match = re.fullmatch(pattern, route)
                    if method == self.command and match and path.startswith(ROOT):
                        return 200, act(server.store, match.groups(), query, self._body(content))
                raise ApiError(404, 5, "Not Found")
            except ApiError as error:
                if route.startswith("/pipelines/upload"):
                    return error.status, {"error_message": str(error), "error_details": str(error)}
                return error.status, {"error": str(error), "code": error.code, "message": str(error), "details": []}

        def _body(self, content: bytes) -> Any:
            kind = self.headers.get("Content-Type", "")
            if kind.startswith("multipart/form-data"):
                message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(
                    f"Content-Type: {kind}\r\n\r\n".encode() + content
                )
                parts = {part.get_param("name", header="content-disposition"): part for part in message.iter_parts()}
                return parts["uploadfile"].get_payload(decode=True)
            return json.loads(content) if content else {}

        def _send(self, status: int, kind: str, text: str) -> None:
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing on the console."""

    return Handler
