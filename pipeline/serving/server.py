"""The development server: REST and gRPC over the newest pushed versions, and a look for newer ones now and then."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from models.recipe.errors import InputError
from pipeline.serving import grpc_services, rest
from pipeline.serving.models import Models

logger = logging.getLogger(__name__)

FIRST_LINE = (
    "Development server: for trying models out, not for traffic. In production TensorFlow Serving polls the same folder; "
    "see kubeflow/serving.yaml."
)


class Server:
    """Both protocols over the models under a root, until `stop`.

    Args:
        root: of the models, see `Models`.
        host: address to listen on.
        rest_port, grpc_port: 0 for any free one; the attributes of this name say which.
        poll_seconds: between two looks for newer versions.

    Raises:
        InputError: no model there, or a port is taken.
    """

    def __init__(self, root: Path, host: str, rest_port: int, grpc_port: int, poll_seconds: float) -> None:
        self.models = Models(root)
        try:
            self._rest = rest.make_server(self.models, host, rest_port)
        except OSError as error:
            raise InputError(f"--rest-port {rest_port}: cannot be listened on at {host}: {error.strerror}.") from None
        try:
            self._grpc, self.grpc_port = grpc_services.make_server(self.models, host, grpc_port)
        except RuntimeError:
            self._rest.server_close()
            raise InputError(f"--grpc-port {grpc_port}: cannot be listened on at {host}. Name another.") from None
        self.rest_port = self._rest.server_address[1]
        self._ended = threading.Event()
        self._poll_seconds = poll_seconds
        self._threads = [
            threading.Thread(target=self._rest.serve_forever, name="rest", daemon=True),
            threading.Thread(target=self._poll, name="poll", daemon=True),
        ]
        self._grpc.start()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Ends both, after the requests that have begun."""
        self._ended.set()
        self._rest.shutdown()
        self._rest.server_close()
        self._grpc.stop(grace=5).wait()

    def wait(self) -> None:
        """Returns when `stop` was called."""
        while not self._ended.wait(3600):
            pass

    def _poll(self) -> None:
        while not self._ended.wait(self._poll_seconds):
            try:
                self.models.poll()
            except Exception:  # a file system that is away for a moment; the next look may be luckier
                logger.exception("The folder of the models cannot be looked into")


def serve(
    root: Path, host: str, rest_port: int, grpc_port: int, poll_seconds: float, say: Callable[[str], object]
) -> None:
    """Serves until interrupted, and says what and where."""
    say(FIRST_LINE)
    server = Server(root, host, rest_port, grpc_port, poll_seconds)
    for name, version in server.models.served.items():
        say(
            f"{name} version {version}: http://{host}:{server.rest_port}/v1/models/{name}:predict and "
            f"grpc://{host}:{server.grpc_port}/{name}"
        )
    try:
        server.wait()
    except KeyboardInterrupt:
        say("Stopping.")
    finally:
        server.stop()
