"""`gatewise index`: the command. Imports TensorFlow inside the function, so that --help is instant."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from pipeline.native_stderr import native_stderr_to
from pipeline.output import require_folder


def index(
    model: Annotated[
        Path,
        typer.Argument(
            metavar="MODEL_DIR",
            help="Pushed version of a retrieval model, or folder of versions (the newest is used).",
        ),
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Output folder. An index in it is replaced.")],
    queries: Annotated[
        Path | None,
        typer.Option(
            "--queries",
            metavar="FILE.jsonl",
            help="Users to measure the recall with, one JSON object of columns per line. Default: vectors of random items.",
        ),
    ] = None,
    recall: Annotated[
        float,
        typer.Option(
            "--recall",
            min=0.01,
            max=1.0,
            help="Target recall of the 100 best items. A higher recall makes searches slower.",
        ),
    ] = 0.95,
) -> None:
    """Build an approximate index of a retrieval model.

    For gatewise recommend --index.

    Needs pip install 'gatewise[ann]'. Example: gatewise index runs/serving/shop_retrieval --out runs/index
    """
    require_folder(out)
    with tempfile.TemporaryFile() as noise, native_stderr_to(noise.fileno()):
        from pipeline.approximate_build import build_index, query_vectors
        from pipeline.predict import newest_version

        version = newest_version(model)
        users = None if queries is None else query_vectors(version, queries)
        about = build_index(version, out, queries=users, recall=recall)
    how = f"{about['searched_lists']:,} of {about['lists']:,} lists searched" if about["lists"] else "exact search"
    typer.echo(
        f"{out}: {about['items']:,} items, {how}; recall@100 {about['recall@100']:.3f} (queries: {about['queries']})"
    )
