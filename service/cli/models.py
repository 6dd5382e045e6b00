"""`roomtone models`: models of one's own are checked (docs/onnx-contract.md) and put on the local shelf."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from models.zoo import CardError, shelved
from service.cli.errors import CommandError
from service.cli.site import ConfigFile, DataDir, site_settings
from service.errors import ServiceError
from service.inference.adding import CORE, add_model
from service.inference.checking import check_model

app = typer.Typer(
    help="Models: which there are, and models of your own. Checking needs the extra `train`.",
    no_args_is_help=True,
    add_completion=False,
    epilog="Example: roomtone models check model.onnx --card card.toml",
)

ModelFile = Annotated[Path, typer.Argument(help="The model, one file.", metavar="FILE.onnx")]
CardFile = Annotated[Path, typer.Option("--card", help="Its card (docs/onnx-contract.md).")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]


@app.command(epilog="Example: roomtone models check model.onnx --card card.toml")
def check(model: ModelFile, *, card: CardFile, as_json: AsJson = False) -> None:
    """See whether a model keeps the contract; it is run in a process with limited memory and time."""
    told = _checked(model, card)
    typer.echo(json.dumps(told) if as_json else _summary(told))


@app.command(epilog="Example: roomtone models add model.onnx --card card.toml --data-dir /var/lib/roomtone")
def add(
    model: ModelFile,
    *,
    card: CardFile,
    data_dir: DataDir = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Check a model and put it on the local shelf, which a site loads when `models.shelves` names it.

    A running service takes it up by itself within seconds. It enters a room only through the gate: until then
    the task says `uncalibrated` there.
    """
    _there(model, card)
    core = card.with_name(CORE)
    shelf = site_settings(config, data_dir=data_dir).local_shelf
    try:
        told, _ = add_model(shelf, model, card, core if core.is_file() else None)
    except ServiceError as error:
        raise CommandError(f"{model}: {error}") from error
    typer.echo(json.dumps(told) if as_json else f"{_summary(told)}\nadded: {told['folder']}")


@app.command("list", epilog="Example: roomtone models list --json")
def show(*, data_dir: DataDir = None, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Models of all shelves: shipped ones, and those of the site's local shelf."""
    settings = site_settings(config, data_dir=data_dir)
    try:
        cards = [one.card for one in shelved(["open", "research", "local"], settings.local_shelf)]
    except CardError as error:
        raise CommandError(str(error)) from error
    if as_json:
        typer.echo(json.dumps({"items": [dict(one.document) for one in cards]}))
        return
    table = Table("shelf", "name", "version", "task", "trained on", "NICs")
    for one in cards:
        table.add_row(one.shelf, one.name, one.version, one.task, one.trained_on, ", ".join(one.nics))
    Console(highlight=False).print(table)


def _checked(model: Path, card: Path) -> dict[str, Any]:
    """What the check says.

    Raises:
        CommandError: it refuses the model, or did not come to an end.
    """
    _there(model, card)
    try:
        return check_model(model, card)
    except ServiceError as error:
        raise CommandError(f"{model}: {error}") from error


def _there(*paths: Path) -> None:
    for path in paths:
        if not path.is_file():
            raise CommandError(f"there is no file {path}")


def _summary(told: dict[str, Any]) -> str:
    return (
        f"{told['name']}: keeps the contract; {told['task']}, fed {told['features']}, {told['bytes']} bytes, "
        f"{told['window_ms']} ms a window, streams tried {', '.join(map(str, told['streams']))}"
    )
