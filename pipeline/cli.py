"""The command line. Each command imports TensorFlow and TFX only if it needs them, so that --help is instant."""

from __future__ import annotations

import functools
import json
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Annotated, Any

import typer

from models.recipe.errors import GatewiseError, InputError, masked
from models.recipe.file import load_recipe
from pipeline.backfill import DaysOption, run_days
from pipeline.command_groups import GroupedCommands
from pipeline.common_options import common
from pipeline.comparing.commands import compare, tune
from pipeline.data_commands import fetch, simulate
from pipeline.day_option import DayOption, days_told, load_on_day, night_told
from pipeline.dead_letters_command import dead_letters
from pipeline.examples_command import examples
from pipeline.groups_command import groups
from pipeline.index_command import index
from pipeline.init_command import init
from pipeline.kubeflow.schedule_commands import app as schedule_commands
from pipeline.machine_faults import machine_faults_told
from pipeline.native_stderr import native_stderr_to
from pipeline.output import ClosedOutput, output_file, standard_output, write_lines, write_output
from pipeline.predict_command import predict
from pipeline.recommend_command import recommend
from pipeline.report_command import report
from pipeline.rollback_commands import rollback, versions
from pipeline.runs_command import app as runs_commands
from pipeline.serving_config_command import serving_config
from pipeline.termination import STOPPED, TERMINATED, sigterm_interrupts
from pipeline.ui.command import ui

CRASHED = 3
INTERRUPTED = 130  # what Typer makes of Ctrl-C

app = typer.Typer(
    name="gatewise",
    help="Train, gate and push a multi-task ranking model from event logs.\n\n"
    "gatewise init DIR writes a recipe for your logs. Start with gatewise validate RECIPE, then gatewise run RECIPE. "
    "docs/recipe.md explains every key of a recipe.\n\n"
    "Exit codes: 0 done (run: model pushed, or blessed with --no-push), 1 input refused, 2 model not blessed, 3 crashed or no verdict on the model, "
    "143 stopped by SIGTERM.",
    cls=GroupedCommands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.callback()(common)
app.add_typer(schedule_commands)
app.add_typer(runs_commands)
app.command()(groups)
app.command()(init)
app.command()(simulate)
app.command()(examples)
app.command()(fetch)
app.command()(compare)
app.command()(tune)
app.command()(predict)
app.command()(recommend)
app.command()(index)
app.command()(serving_config)
app.command()(versions)
app.command()(rollback)
app.command(name="dead-letters")(dead_letters)
app.command()(report)
app.command()(ui)

RecipeFile = Annotated[Path, typer.Argument(metavar="RECIPE", help="Recipe file, such as recipes/shop.yaml.")]
Overrides = Annotated[
    list[str],
    typer.Option("--set", metavar="KEY=VALUE", help="Override one key, such as model.architecture=ple. Repeatable."),
]
DataFolder = Annotated[
    str | None, typer.Option("--data", metavar="DIR", help="Folder or URL of the data files; overrides the recipe's.")
]
Answers = Annotated[
    Path | None,
    typer.Option("--output", metavar="FILE", callback=output_file, help="Output file. Default: standard output."),
]
Root = Annotated[Path, typer.Option("--root", metavar="DIR", help="Folder for metadata, artifacts and pushed models.")]


@app.command()
def validate(
    recipe: RecipeFile,
    overrides: Overrides = [],  # noqa: B006
    data: DataFolder = None,
    day: DayOption = None,
) -> None:
    """Check every key, name, window and option of a recipe. Reads no data and takes half a second.

    With logs.span, also tells which days a run reads. Example: gatewise validate recipes/shop.yaml --set model.architecture=ple
    """
    checked, _ = load_on_day(recipe, overrides, data, day, look_up=False)
    source = f"{len(checked.logs.streams)} streams" if checked.logs else "labelled examples"
    typer.echo(
        f"{recipe}: valid. {source}, {len(checked.features)} features, tasks {', '.join(checked.tasks)}; "
        f"{checked.model.architecture} with balancer {checked.model.balancer}; data in {checked.data}"
    )
    if days := days_told(checked):
        typer.echo(f"days: {days}")


@app.command()
def run(
    recipe: RecipeFile,
    root: Root = Path("runs"),
    overrides: Overrides = [],  # noqa: B006
    data: DataFolder = None,
    json_file: Annotated[
        Path | None,
        typer.Option("--json", metavar="FILE", callback=output_file, help="Also write the summary as JSON."),
    ] = None,
    no_push: Annotated[
        bool, typer.Option("--no-push", help="An experiment: evaluate and bless the model, but push nothing.")
    ] = False,
    day: DayOption = None,
    days: DaysOption = None,
) -> None:
    """Run a recipe from its logs to a pushed model. Stages that have not changed since the last run come from the cache.

    With logs.span, reads the days up to --day. Without the option: up to the newest day that is complete.

    Example: gatewise run recipes/shop.yaml --set training.seed=2 --no-push --json result.json
    """
    if days is not None:
        if day is not None:
            raise InputError(f"--day {day} and --days {days}: give one of them.")
        options = ["--root", str(root), *(("--data", data) if data else ()), *(("--no-push",) if no_push else ())]
        from pipeline.run_paths import run_paths

        states = run_paths(load_recipe(recipe, overrides, data), root).states
        tell = functools.partial(typer.echo, err=True)
        raise typer.Exit(run_days(recipe, days, overrides, options, json_file, tell, states=states))
    checked, overrides = load_on_day(recipe, overrides, data, day)
    if days := days_told(checked):
        typer.echo(f"days: {days}", err=True)
    from pipeline.console import RunConsole
    from pipeline.run_paths import run_paths
    from pipeline.run_record import recorded, results

    where, push = run_paths(checked, root), not no_push
    if night := night_told(checked, where.served, where.states):
        typer.echo(f"night: {night}", err=True)
    with (
        RunConsole(checked, where.logs) as console,
        recorded(console.run, where, checked, file=recipe, overrides=overrides, data=data, push=push) as record,
    ):
        from pipeline.compiled_steps import compiled_steps_kept
        from pipeline.local_runner import run_pipeline
        from pipeline.summary import exit_code, summarise
        from pipeline.tensorboard_run import write_tensorboard

        with compiled_steps_kept(where.compiled):
            made = run_pipeline(checked, where, console, run=record.values["id"], push=push)
        summary = summarise(made)
        record.write(**results(made, summary))
        write_tensorboard(record.values, where.tensorboard)
        console.show(summary, where)
    if json_file is not None:
        write_output(json_file, json.dumps(summary, indent=1) + "\n")
    raise typer.Exit(exit_code(summary))


@app.command(name="compile")
def compile_file(
    recipe: RecipeFile,
    out: Annotated[Path, typer.Option(metavar="FILE.yaml", help="Output file.")] = Path("pipeline.yaml"),
    overrides: Overrides = [],  # noqa: B006
) -> None:
    """Compile a recipe into one file for Kubeflow Pipelines 2. The recipe's section `kubeflow` defines where it runs.

    Reads no data. The same recipe gives the same bytes. Example: gatewise compile my.yaml --out pipeline.yaml
    """
    checked = load_recipe(recipe, overrides)
    with tempfile.TemporaryFile() as noise, native_stderr_to(noise.fileno()):
        try:
            from pipeline.kubeflow.compile import compile_recipe
        except ModuleNotFoundError as error:
            if error.name is None or error.name.split(".")[0] != "kfp":
                raise
            raise InputError("compile needs the packages of Kubeflow: pip install 'gatewise[kubeflow]'.") from None

        compiled = compile_recipe(checked)
    write_output(out, compiled.text)
    parameters = ", ".join(f"{name}={json.dumps(default)}" for name, default in compiled.parameters.items())
    typer.echo(f"{out}: pipeline {compiled.name}, version {compiled.version}; parameters {parameters}")


@app.command()
def request(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL_OR_URL",
            help="Pushed version, folder of versions, http://HOST:PORT/v1/models/NAME, or grpc://HOST:PORT/NAME.",
        ),
    ],
    requests: Annotated[
        Path,
        typer.Option(
            "--input",
            metavar="FILE.jsonl",
            help='One JSON object per line: column -> value; for rank: {"user": {...}, "candidates": [{...}, ...]}.',
        ),
    ],
    signature: Annotated[
        str, typer.Option(help="serving_default, raw or rank; for a retrieval model: serving_default.")
    ] = "rank",
    output: Answers = None,
) -> None:
    """Send requests to a model, or to a server like TF Serving.

    One line of JSON in, one out, over REST or gRPC.

    Example: gatewise request http://localhost:8501/v1/models/shop --input recipes/shop_pages.jsonl --signature rank
    """
    with tempfile.TemporaryFile() as noise, native_stderr_to(noise.fileno()):
        from pipeline.serving.client import ask

        answers = ask(model, requests, signature)
    write_lines(answers, output)


@app.command()
def serve(
    root: Annotated[Path, typer.Argument(metavar="ROOT", help="--root of a run, or folder of one model's versions.")],
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    rest_port: Annotated[int, typer.Option(min=0, max=65535, help="Port for REST; 0 for any free one.")] = 8501,
    grpc_port: Annotated[int, typer.Option(min=0, max=65535, help="Port for gRPC; 0 for any free one.")] = 8500,
    poll_seconds: Annotated[float, typer.Option(min=0.1, help="Seconds between checks for newer versions.")] = 2.0,
) -> None:
    """Serve the newest pushed versions, for development only.

    On TensorFlow Serving's REST routes and gRPC services.

    Example: gatewise serve runs
    """
    from pipeline.serving.server import serve as serve_until_interrupted

    serve_until_interrupted(root, host, rest_port, grpc_port, poll_seconds, lambda line: print(line, flush=True))


def main(arguments: list[str] | None = None) -> Any:
    """Entry point of the `gatewise` script."""
    try:
        # In standalone mode Typer exits with 2 after a usage error, but here 2 means "not blessed".
        with sigterm_interrupts() as termination, machine_faults_told(), standard_output():
            code = app(arguments, standalone_mode=False)
    except typer.TyperException as error:
        error.show()  # type: ignore[attr-defined]  # the public class does not declare it
        sys.exit(GatewiseError.exit_code)
    except ClosedOutput as error:
        sys.exit(error.exit_code)
    except GatewiseError as error:
        typer.echo(f"gatewise: {error}", err=True)
        sys.exit(error.exit_code)
    except Exception:
        typer.echo(masked(traceback.format_exc()), err=True)
        typer.echo(
            "gatewise: crashed (a defect of gatewise, see above). Run the command again to resume from the last finished stage.",
            err=True,
        )
        sys.exit(CRASHED)
    if code == INTERRUPTED and termination.came:
        typer.echo(f"gatewise: {STOPPED}", err=True)
        sys.exit(TERMINATED)
    if code == INTERRUPTED:
        typer.echo("gatewise: interrupted. Run the command again to resume from the last finished stage.", err=True)
        sys.exit(CRASHED)
    sys.exit(code)


if __name__ == "__main__":
    main()
