"""`gatewise ui`: the command. Imports Tornado inside the function, so that --help is instant."""

from __future__ import annotations

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
    """Show the runs, versions and comparisons of a root in a web page, with a playground for its pushed models.

    The playground ranks items for a user with the pushed SavedModel, and re-ranks them when a tunable weight or the user's history
    changes. The page writes nothing.

    Example: gatewise ui runs --port 8600
    """
    from pipeline.ui.server import serve

    serve(root, host, port, public, lambda line: print(line, flush=True))
