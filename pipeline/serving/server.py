"""The development server: serves the newest pushed versions by REST and gRPC, and polls for newer ones."""

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
    "Development server: for trying models out, not for production. In production, use TensorFlow Serving with the same folder; "
    "see kubeflow/serving.yaml."
)


class Server:
    """Serves the models under a root by REST and gRPC until `stop`.

    Args:
        root: folder of the models, see `Models`.
        host: address to listen on.
        rest_port, grpc_port: ports. 0 selects a free port; the attribute of this name has the actual one.
        poll_seconds: seconds between checks for newer versions.

    Raises:
        InputError: there is no model, or a port is in use.
    """

    def __init__(self, root: Path, host: str, rest_port: int, grpc_port: int, poll_seconds: float) -> None:
        self.models = Models(root)
        try:
            self._rest = rest.make_server(self.models, host, rest_port)
        except OSError as error:
            raise InputError(
                f"--rest-port {rest_port}: cannot listen on {host}: {error.strerror}. Choose another port."
            ) from None
        try:
            self._grpc, self.grpc_port = grpc_services.make_server(self.models, host, grpc_port)
        except RuntimeError:
            self._rest.server_close()
            raise InputError(f"--grpc-port {grpc_port}: cannot listen on {host}. Choose another port.") from None
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
        """Stops both servers after the running requests."""
        self._ended.set()
        self._rest.shutdown()
        self._rest.server_close()
        self._grpc.stop(grace=5).wait()

    def wait(self) -> None:
        """Blocks until `stop` is called."""
        while not self._ended.wait(3600):
            pass

    def _poll(self) -> None:
        while not self._ended.wait(self._poll_seconds):
            try:
                self.models.poll()
            except Exception:  # the file system may be unavailable for a moment; the next poll tries again
                logger.exception("Cannot read the folder of the models")


def serve(
    root: Path, host: str, rest_port: int, grpc_port: int, poll_seconds: float, say: Callable[[str], object]
) -> None:
    """Serves until interrupted, and reports the served versions and addresses."""
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
