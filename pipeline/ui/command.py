"""`gatewise ui`: the command. Imports Tornado inside the function, so that --help is instant."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer


def ui(
    root: Annotated[Path, typer.Argument(metavar="ROOT", help="--root of runs.")] = Path("runs"),
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 for any free one.")] = 8600,
    host: Annotated[
        str, typer.Option(help="Address to listen on. An address other than loopback needs --public.")
    ] = "127.0.0.1",
    public: Annotated[
        bool, typer.Option("--public", help="Allow other addresses than loopback. The page has no password.")
    ] = False,
) -> None:
    """Show runs, versions and comparisons in a web page.

    Its playground ranks items for a user with the pushed SavedModels, and re-ranks them when a tunable weight or the user's
    history changes. The page writes nothing.

    Example: gatewise ui runs --port 8600
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow's notes on the machine would look like errors
    from pipeline.ui.server import serve

    serve(root, host, port, public, lambda line: print(line, flush=True))
