"""`gatewise recommend`: the command. Imports TensorFlow inside the function, so that --help is instant."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from models.recipe.errors import InputError
from pipeline.native_stderr import native_stderr_to
from pipeline.output import write_lines


def recommend(
    root: Annotated[
        Path,
        typer.Argument(
            metavar="MODEL_ROOT",
            help="Folder of the ranker's versions, such as runs/serving/shop, with the retrieval model's folder beside it; or "
            "the folder that holds both. The newest version that both models have is used.",
        ),
    ],
    user: Annotated[
        str,
        typer.Option(
            "--user",
            metavar="JSON_OR_FILE",
            help="JSON object, @FILE or path of a file: columns of the user and the context, and the lists of item ids "
            '"history" (newest first) and "exclude". {} is an unknown user.',
        ),
    ],
    k: Annotated[int, typer.Option("--k", min=1, help="Number of items to return.")] = 20,
    candidates: Annotated[
        int | None,
        typer.Option(
            "--candidates", min=1, help="Number of items to rank. Default: all that the retrieval model returns."
        ),
    ] = None,
    diversity: Annotated[
        float,
        typer.Option(
            "--diversity",
            min=0.0,
            max=1.0,
            help="0: order by score alone; towards 1: prefer items that differ from each other.",
        ),
    ] = 0.0,
    weights: Annotated[
        list[str],
        typer.Option("--weight", metavar="NAME=VALUE", help="Override a tunable weight. Repeatable."),
    ] = [],  # noqa: B006
    index: Annotated[
        Path | None,
        typer.Option("--index", metavar="DIR", help="Approximate index of the items, built by gatewise index."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print lines of JSON instead of a table.")] = False,
    output: Annotated[
        Path | None,
        typer.Option("--output", metavar="FILE", help="Write lines of JSON to this file instead of a table."),
    ] = None,
) -> None:
    """Recommend items to a user.

    The retrieval model finds candidates, and the ranker orders them.

    Example: gatewise recommend runs/serving/shop --user '{"country": "DE", "device": "phone"}' --k 20
    """
    chosen_weights = _weights(weights)
    with tempfile.TemporaryFile() as noise, native_stderr_to(noise.fileno()):
        from pipeline.recommending.recommend import recommend as recommended_by
        from pipeline.recommending.user import read_user

        answer = recommended_by(
            root,
            read_user(user),
            k=k,
            most_candidates=candidates,
            diversity=diversity,
            weights=chosen_weights,
            index=index,
        )
    if as_json or output is not None:
        write_lines(answer.items, output)
    if not answer.items:
        typer.echo(
            f"{answer.model}: no items to recommend: the request excludes all items of the retrieval model.", err=True
        )
    elif not as_json and output is None:
        _show(answer)


def _weights(texts: Iterable[str]) -> dict[str, float]:
    found = {}
    for text in texts:
        name, sign, value = text.partition("=")
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if not sign or not math.isfinite(number):
            raise InputError(f"--weight: expected NAME=VALUE with a number, such as margin=0.5; received {text!r}.")
        found[name] = number
    return found


def _show(answer: Any) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    title = f"{answer.model}: {len(answer.items)} of {answer.candidates:,} candidates"
    table = Table(title=escape(title), title_justify="left")
    for heading in ("rank", "item", "score", "retrieval score", *answer.tasks):
        table.add_column(escape(heading), justify="left" if heading == "item" else "right")
    for rank, item in enumerate(answer.items, start=1):
        numbers = (item["score"], item["retrieval_score"], *item["tasks"].values())
        table.add_row(str(rank), escape(str(item["item"])), *(f"{number:,.4f}" for number in numbers))
    Console(highlight=False, width=max(100, Console().width)).print(table)
