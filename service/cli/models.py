"""`roomtone models`: models of one's own are checked (docs/onnx-contract.md) and put on the local shelf."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from models.zoo import CardError, parse_card, read_model, shelved
from service.cli.errors import CommandError
from service.cli.site import ConfigFile, DataDir, site_settings

app = typer.Typer(
    help="Models: which there are, and models of your own. Checking needs the extra `train`.",
    no_args_is_help=True,
    add_completion=False,
    epilog="Example: roomtone models check model.onnx --card card.toml",
)

ModelFile = Annotated[Path, typer.Argument(help="The model, one file.", metavar="FILE.onnx")]
CardFile = Annotated[Path, typer.Option("--card", help="Its card (docs/onnx-contract.md).")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]
WITHIN_S = 120
CORE = "core.npz"
_DIGEST = re.compile(r"^digest\s*=.*$", re.MULTILINE)


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

    It enters a room only through the gate: until then the task says `uncalibrated` there.
    """
    told = _checked(model, card)
    folder = site_settings(config, data_dir=data_dir).local_shelf / str(told["name"])
    if folder.exists():
        raise CommandError(f"{folder} is there already: give the card another name or version")
    staged = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir(parents=True)
    shutil.copyfile(model, staged / "model.onnx")
    told_by = card.read_text(encoding="utf-8")
    text = f'digest = "{told["digest"]}"\n{_DIGEST.sub("", told_by, count=1)}'
    (staged / "card.toml").write_text(text, encoding="utf-8")
    if "core" in parse_card(text, card.name).document and card.with_name(CORE).is_file():
        shutil.copyfile(card.with_name(CORE), staged / CORE)
    _check_staged(staged, card)
    staged.rename(folder)
    told["folder"] = str(folder)
    typer.echo(json.dumps(told) if as_json else f"{_summary(told)}\nadded: {folder}")


def _check_staged(staged: Path, card: Path) -> None:
    """See that a site can load what is about to be on its shelf: one folder that it cannot stops the worker.

    Raises:
        CommandError: the card names a core, and it is not the one beside the card.
    """
    try:
        read_model(staged)
    except CardError as error:
        shutil.rmtree(staged)
        raise CommandError(f"{card}: {error}; keep {CORE} beside the card as `train` wrote it") from error


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
    for path in (model, card):
        if not path.is_file():
            raise CommandError(f"there is no file {path}")
    words = [sys.executable, "-m", "models.contract", str(model.resolve()), str(card.resolve())]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=WITHIN_S, check=False)
        told: dict[str, Any] = json.loads(done.stdout)
    except subprocess.TimeoutExpired as error:
        raise CommandError(f"{model}: checking it took over {WITHIN_S} s") from error
    except json.JSONDecodeError as error:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise CommandError(f"{model}: the process that ran it died ({done.returncode}): {last}") from error
    if not told["ok"]:
        raise CommandError(f"{model}: {told['why']}")
    parse_card(card.read_text(encoding="utf-8"), card.name)
    return told


def _summary(told: dict[str, Any]) -> str:
    return (
        f"{told['name']}: keeps the contract; {told['task']}, fed {told['features']}, {told['bytes']} bytes, "
        f"{told['window_ms']} ms a window, streams tried {', '.join(map(str, told['streams']))}"
    )
