"""`gatewise schedule ...`: the commands. Imports Kubeflow's packages only inside of them, so that --help is instant."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import pydantic
import typer

from models.recipe import findings, yaml_document
from models.recipe.errors import InputError
from models.recipe.file import load_recipe
from models.recipe.registry import known
from models.recipe.schedule import RunParameters
from pipeline.kubeflow.section import name_on_kubeflow
from pipeline.native_stderr import native_stderr_to

app = typer.Typer(
    name="schedule",
    help="Retrain on a schedule: a recipe's recurring run on Kubeflow Pipelines.\n\n"
    "The recipe's section kubeflow.schedule declares it (docs/recipe.md), or a file that --schedule names "
    "(kubeflow/schedule.yaml). Start with: gatewise schedule create RECIPE --host http://localhost:8888 --dry-run\n\n"
    "Who asks: KFP_TOKEN holds a bearer token, KFP_COOKIE a log-in's cookie, both in the environment.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Host = Annotated[
    str,
    typer.Option(
        "--host",
        metavar="URL",
        envvar="KF_PIPELINES_ENDPOINT",
        help="Kubeflow Pipelines' address, in front of /apis/v2beta1.",
    ),
]
Namespace = Annotated[
    str | None, typer.Option("--namespace", metavar="NAME", help="Your namespace, on a server for several users.")
]
CaCert = Annotated[
    Path | None,
    typer.Option(
        "--ca-cert", metavar="FILE", help="The authority that signed the server's certificate, in PEM format."
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and change nothing.")]
WhileRunning = Annotated[
    bool, typer.Option("--while-running", help="Also while a run of it is in progress: it goes on, two may overlap.")
]
Name = Annotated[str, typer.Argument(metavar="NAME_OR_RECIPE", help="The name that list shows, or the recipe's file.")]


@app.command()
def create(
    recipe: Annotated[Path, typer.Argument(metavar="RECIPE", help="The recipe file, such as recipes/shop.yaml.")],
    host: Host,
    schedule: Annotated[
        Path | None,
        typer.Option(
            "--schedule", metavar="FILE.yaml", help="A file of the keys of kubeflow.schedule, instead of the recipe's."
        ),
    ] = None,
    overrides: Annotated[
        list[str],
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help='Another value for one key: kubeflow.schedule.cron="0 5 * * *". Repeatable.',
        ),
    ] = [],  # noqa: B006
    namespace: Namespace = None,
    ca_cert: CaCert = None,
    while_running: WhileRunning = False,
    dry_run: DryRun = False,
) -> None:
    """Put a recipe's schedule on Kubeflow Pipelines, or change it: never a second one. Run it again after an interruption.

    Compiles the recipe and uploads it as a version named by its content, unless it is there. A paused schedule stays paused.

    Example: gatewise schedule create my.yaml --host http://localhost:8888 --dry-run
    """
    checked = load_recipe(recipe, overrides, parts={} if schedule is None else {"kubeflow.schedule": schedule})
    with _kubeflow():
        from pipeline.kubeflow import compile
        from pipeline.kubeflow import schedule as schedules

        server = _server(host, namespace, ca_cert)
        compiled = compile.compile_recipe(checked)
        wish = schedules.wish_of(checked, compiled)
        _say(schedules.create(server, wish, compiled.text, dry=dry_run, while_running=while_running))


@app.command(name="list")
def list_schedules(host: Host, namespace: Namespace = None, ca_cert: CaCert = None) -> None:
    """List the schedules that gatewise made: when, which version, with which parameters, running or paused.

    Example: gatewise schedule list --host http://localhost:8888
    """
    with _kubeflow():
        from pipeline.kubeflow import schedule as schedules

        _say(schedules.listed(_server(host, namespace, ca_cert)))


@app.command()
def pause(name: Name, host: Host, namespace: Namespace = None, ca_cert: CaCert = None, dry_run: DryRun = False) -> None:
    """Pause a schedule: no run begins until resume; one in progress goes on.

    Example: gatewise schedule pause shop --host http://localhost:8888
    """
    with _kubeflow():
        from pipeline.kubeflow import schedule as schedules

        target = _name(name)
        _say(schedules.set_running(_server(host, namespace, ca_cert), target, False, dry=dry_run))


@app.command()
def resume(
    name: Name, host: Host, namespace: Namespace = None, ca_cert: CaCert = None, dry_run: DryRun = False
) -> None:
    """Resume a paused schedule. Runs that it missed are not caught up with, except for the last.

    Example: gatewise schedule resume shop --host http://localhost:8888
    """
    with _kubeflow():
        from pipeline.kubeflow import schedule as schedules

        target = _name(name)
        _say(schedules.set_running(_server(host, namespace, ca_cert), target, True, dry=dry_run))


@app.command(name="run-now")
def run_now(
    name: Name,
    host: Host,
    parameters: Annotated[
        list[str],
        typer.Option("--parameter", metavar="KEY=VALUE", help="as_of, epochs, seed or push, for this run. Repeatable."),
    ] = [],  # noqa: B006
    namespace: Namespace = None,
    ca_cert: CaCert = None,
    while_running: WhileRunning = False,
    dry_run: DryRun = False,
) -> None:
    """Start one run now, as the schedule would: its version, its parameters. A paused schedule stays paused.

    Example: gatewise schedule run-now shop --parameter as_of=2026-01-15T00:00:00Z --host http://localhost:8888
    """
    given = _parameters(parameters)
    with _kubeflow():
        from pipeline.kubeflow import schedule as schedules

        target = _name(name)
        server = _server(host, namespace, ca_cert)
        _say(schedules.run_now(server, target, given, dry=dry_run, while_running=while_running))


@app.command()
def delete(
    name: Name,
    host: Host,
    namespace: Namespace = None,
    ca_cert: CaCert = None,
    while_running: WhileRunning = False,
    dry_run: DryRun = False,
) -> None:
    """Delete a schedule. Its runs, the pipeline and the pipeline's versions stay.

    Example: gatewise schedule delete shop --host http://localhost:8888
    """
    with _kubeflow():
        from pipeline.kubeflow import schedule as schedules

        target = _name(name)
        server = _server(host, namespace, ca_cert)
        _say(schedules.delete(server, target, dry=dry_run, while_running=while_running))


@contextmanager
def _kubeflow() -> Iterator[None]:
    """Around what imports Kubeflow's packages, and TensorFlow's noise with them.

    Raises:
        InputError: the packages are not installed.
    """
    with tempfile.TemporaryFile() as noise, native_stderr_to(noise.fileno()):
        try:
            yield
        except ModuleNotFoundError as error:
            if error.name is None or error.name.split(".")[0] not in ("kfp", "kfp_server_api"):
                raise
            raise InputError("schedule needs Kubeflow's own packages: pip install 'gatewise[kubeflow]'.") from None


def _server(host: str, namespace: str | None, ca_cert: Path | None) -> Any:
    from pipeline.kubeflow.api_connection import connection
    from pipeline.kubeflow.schedule_server import ScheduleServer

    return ScheduleServer(connection(host, namespace, ca_cert))


def _name(text: str) -> str:
    """The name of a schedule: as it is, or that of the recipe in a file."""
    return name_on_kubeflow(load_recipe(text).name if text.endswith((".yaml", ".yml")) else text)


def _parameters(texts: list[str]) -> dict[str, str | int | bool]:
    values: dict[str, Any] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or key not in RunParameters.model_fields:
            raise InputError(f"--parameter {text}: expected KEY=VALUE; {known(key, RunParameters.model_fields)}")
        values[key] = yaml_document.parse_option(value, f"--parameter {text}").value
    try:
        return RunParameters.model_validate(values).given()
    except pydantic.ValidationError as error:
        detail = error.errors()[0]
        raise InputError(f"--parameter {detail['loc'][0]}={detail['input']}: {findings.in_words(detail)}.") from None


def _say(lines: Iterable[str]) -> None:
    for line in lines:
        typer.echo(line)
