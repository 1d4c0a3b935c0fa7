"""The web server of `gatewise ui`."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import tornado.httpserver
import tornado.web

from models.recipe.errors import InputError
from pipeline.ui import handlers
from pipeline.ui.pages import records_of
from pipeline.ui.pushed import models_of
from pipeline.ui.reports import Reports
from pipeline.ui.sessions import Sessions

LARGEST_REQUEST = 1 << 20
"""Bytes of a request's body."""


def is_loopback(host: str) -> bool:
    """Whether an address or name is that of this machine alone."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def check_host(host: str, public: bool) -> None:
    """Checks that other machines reach the page only if that is wanted.

    Raises:
        InputError: the address is not loopback, and `public` is False.
    """
    if not public and not is_loopback(host):
        raise InputError(
            f"--host {host}: other machines could reach this address, and the page has no password. Add --public to allow it, or "
            "leave --host out to listen on 127.0.0.1."
        )


def application(root: Path, public: bool = False) -> tornado.web.Application:
    """The pages of a root. `public`: whether requests may name another host than loopback."""
    return tornado.web.Application(
        handlers.routes(),
        static_path=str(Path(__file__).parent / "static"),
        static_handler_class=handlers.Static,
        log_function=lambda handler: None,
        root=root,
        public=public,
        sessions=Sessions(root),
        reports=Reports(root),
        templates=handlers.environment(),
    )


def check_root(root: Path) -> None:
    """Checks that there is something to show.

    Raises:
        InputError: the folder has no run, no pushed model and no comparison, or a record cannot be read.
    """
    if not (records_of(root) or models_of(root) or any(root.glob("*/compare/*/compare.json"))):
        raise InputError(
            f"{root}: no run, no pushed model and no comparison; expected the --root of `gatewise run`. "
            f"Start a run with: gatewise run RECIPE --root {root}"
        )


def listening(app: tornado.web.Application, host: str, port: int) -> tuple[tornado.httpserver.HTTPServer, int]:
    """A server that listens, and its port. Called in a running event loop.

    Raises:
        InputError: the address cannot be used.
    """
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listener = socket.create_server(address, family=family)
    except OSError as error:
        raise InputError(
            f"--host {host} --port {port}: cannot listen there: {error.strerror}. Choose another port."
        ) from None
    listener.setblocking(False)
    server = tornado.httpserver.HTTPServer(app, max_buffer_size=LARGEST_REQUEST, max_body_size=LARGEST_REQUEST)
    server.add_socket(listener)
    return server, listener.getsockname()[1]


def serve(root: Path, host: str, port: int, public: bool, say: Callable[[str], object]) -> None:
    """Serves until interrupted, and reports the address.

    Raises:
        InputError: the root has nothing to show, or the address cannot be used.
    """
    check_host(host, public)
    check_root(root)

    async def forever() -> None:
        app = application(root.resolve(), public)
        server, actual = listening(app, host, port)
        say(f"{root}: http://{f'[{host}]' if ':' in host else host}:{actual}/ (Ctrl-C stops it)")
        try:
            await asyncio.Event().wait()
        finally:
            server.stop()
            close(app)

    try:
        asyncio.run(forever())
    except KeyboardInterrupt:
        say("Stopped.")


def close(app: tornado.web.Application) -> None:
    """Ends the threads of an application."""
    app.settings["sessions"].close()
    app.settings["reports"].close()


@contextlib.contextmanager
def in_background(root: Path, port: int = 0) -> Iterator[str]:
    """Context in which a thread serves a root on loopback. Yields the URL, without a slash at its end."""
    ready, ended = threading.Event(), threading.Event()
    found: dict[str, Any] = {}

    async def run() -> None:
        app = application(root.resolve())
        server, found["port"] = listening(app, "127.0.0.1", port)
        found["loop"], found["stop"] = asyncio.get_running_loop(), asyncio.Event()
        ready.set()
        await found["stop"].wait()
        server.stop()
        await server.close_all_connections()
        close(app)

    def thread() -> None:
        try:
            asyncio.run(run())
        finally:
            ready.set()
            ended.set()

    threading.Thread(target=thread, name="ui", daemon=True).start()
    ready.wait()
    try:
        yield f"http://127.0.0.1:{found['port']}"
    finally:
        found["loop"].call_soon_threadsafe(found["stop"].set)
        ended.wait(60)
