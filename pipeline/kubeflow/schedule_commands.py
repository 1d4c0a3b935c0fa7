"""`gatewise schedule ...`: the commands. They import Kubeflow's packages inside the functions, so that --help is instant."""

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
from pipeline.backfill import checked_days, days_between
from pipeline.kubeflow.spec.section import name_on_kubeflow
from pipeline.native_stderr import native_stderr_to

app = typer.Typer(
    name="schedule",
    help="Retrain on a schedule.\n\n"
    "Manages a recipe's recurring run on Kubeflow Pipelines.\n\n"
    "The recipe's section kubeflow.schedule (docs/recipe.md) declares the schedule, or a file that you name with --schedule "
    "(kubeflow/schedule.yaml). Start with: gatewise schedule create RECIPE --host http://localhost:8888 --dry-run\n\n"
    "To authenticate, set the environment variable KFP_TOKEN to a bearer token, or KFP_COOKIE to a session cookie.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Host = Annotated[
    str,
    typer.Option(
        "--host",
        metavar="URL",
        envvar="KF_PIPELINES_ENDPOINT",
        help="Address of Kubeflow Pipelines, without /apis/v2beta1.",
    ),
]
Namespace = Annotated[
    str | None, typer.Option("--namespace", metavar="NAME", help="Your namespace on a multi-user server.")
]
CaCert = Annotated[
    Path | None,
    typer.Option(
        "--ca-cert",
        metavar="FILE",
        help="Certificate of the authority that signed the server's certificate, in PEM format.",
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print the changes without making them.")]
WhileRunning = Annotated[
    bool,
    typer.Option(
        "--while-running", help="Proceed even if a run is in progress. That run continues; two runs may overlap."
    ),
]
Name = Annotated[
    str, typer.Argument(metavar="NAME_OR_RECIPE", help="Name of the schedule, as list shows it, or the recipe file.")
]


@app.command()
def create(
    recipe: Annotated[Path, typer.Argument(metavar="RECIPE", help="Recipe file, such as recipes/shop.yaml.")],
    host: Host,
    schedule: Annotated[
        Path | None,
        typer.Option(
            "--schedule",
            metavar="FILE.yaml",
            help="File with the keys of kubeflow.schedule; replaces the recipe's section.",
        ),
    ] = None,
    overrides: Annotated[
        list[str],
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help='Override one key, such as kubeflow.schedule.cron="0 5 * * *". Repeatable.',
        ),
    ] = [],  # noqa: B006
    namespace: Namespace = None,
    ca_cert: CaCert = None,
    while_running: WhileRunning = False,
    dry_run: DryRun = False,
) -> None:
    """Create or update a recipe's schedule on Kubeflow Pipelines. A recipe has one schedule. Repeat it after an interruption.

    Compiles the recipe and uploads it as a version named by its content, unless that version exists. A paused schedule stays
    paused.

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
    """List the schedules that gatewise created, with time, version, parameters and state.

    Example: gatewise schedule list --host http://localhost:8888
    """
    with _kubeflow():
        from pipeline.kubeflow import schedule as schedules

        _say(schedules.listed(_server(host, namespace, ca_cert)))


@app.command()
def pause(name: Name, host: Host, namespace: Namespace = None, ca_cert: CaCert = None, dry_run: DryRun = False) -> None:
    """Pause a schedule. No run starts until resume; a run in progress continues.

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
    """Resume a paused schedule. Of the runs that it missed, only the last one starts.

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
        typer.Option(
            "--parameter",
            metavar="KEY=VALUE",
            help="Value of as_of, day, epochs, seed or push for this run. Repeatable.",
        ),
    ] = [],  # noqa: B006
    days: Annotated[
        str | None,
        typer.Option(
            "--days",
            metavar="A..B",
            callback=checked_days,
            help="With logs.span: a run for each day from A to B, such as 2026-11-01..2026-11-28. Each begins when the one before has "
            "succeeded.",
        ),
    ] = None,
    namespace: Namespace = None,
    ca_cert: CaCert = None,
    while_running: WhileRunning = False,
    dry_run: DryRun = False,
) -> None:
    """Start one run now with the schedule's version and parameters. A paused schedule stays paused.

    Example: gatewise schedule run-now shop --parameter as_of=2026-01-15T00:00:00Z --host http://localhost:8888
    """
    given = _parameters(parameters)
    if days is not None and "day" in given:
        raise InputError(
            f"--days {days}: expected the days in one place, received --parameter day={given['day']}, too."
        )
    with _kubeflow():
        from pipeline.kubeflow import schedule as schedules

        target = _name(name)
        server = _server(host, namespace, ca_cert)
        if days is None:
            _say(schedules.run_now(server, target, given, dry=dry_run, while_running=while_running))
            return
        from pipeline.kubeflow.schedule_backfill import backfill

        each = days_between(days, 1 if "T" in days else 24)
        _say(backfill(server, target, each, given, dry=dry_run, while_running=while_running))


@app.command()
def delete(
    name: Name,
    host: Host,
    namespace: Namespace = None,
    ca_cert: CaCert = None,
    while_running: WhileRunning = False,
    dry_run: DryRun = False,
) -> None:
    """Delete a schedule. Its runs, its pipeline and the pipeline's versions stay.

    Example: gatewise schedule delete shop --host http://localhost:8888
    """
    with _kubeflow():
        from pipeline.kubeflow import schedule as schedules

        target = _name(name)
        server = _server(host, namespace, ca_cert)
        _say(schedules.delete(server, target, dry=dry_run, while_running=while_running))


@contextmanager
def _kubeflow() -> Iterator[None]:
    """Context of code that imports Kubeflow's packages; hides what TensorFlow prints on import.

    Raises:
        InputError: the packages are not installed.
    """
    with tempfile.TemporaryFile() as noise, native_stderr_to(noise.fileno()):
        try:
            yield
        except ModuleNotFoundError as error:
            if error.name is None or error.name.split(".")[0] not in ("kfp", "kfp_server_api"):
                raise
            raise InputError("schedule needs the packages of Kubeflow: pip install 'gatewise[kubeflow]'.") from None


def _server(host: str, namespace: str | None, ca_cert: Path | None) -> Any:
    from pipeline.kubeflow.api_connection import connection
    from pipeline.kubeflow.schedule_server import ScheduleServer

    return ScheduleServer(connection(host, namespace, ca_cert))


def _name(text: str) -> str:
    """The name of a schedule. If the argument is a recipe file, the recipe's name."""
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
