"""`roomtone data`: data sets of one's own."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from models.data.survey import Survey, survey
from models.training.console import progress_bar, reported

app = typer.Typer(
    help="Look at data sets of your own.",
    no_args_is_help=True,
    add_completion=False,
    epilog="Example: roomtone data check my-recordings",
)


@app.callback()
def group() -> None:
    """Look at data sets of your own."""


@app.command(epilog="Example: roomtone data check recordings")
def check(
    folder: Annotated[Path, typer.Argument(help="Folder with a dataset.toml.", metavar="DIR")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Read every recording that dataset.toml lists; print how much there is of each class, and doubts.

    Exit code 1 when a recording or a label is wrong; warnings alone are 0.
    """
    with reported(), progress_bar("data check") as progress:
        found = survey(folder, progress)
    if as_json:
        typer.echo(json.dumps({"data": str(folder), **asdict(found)}))
    else:
        _show(found)
    if found.errors:
        raise typer.Exit(1)


def _show(found: Survey) -> None:
    console = Console(highlight=False)
    table = Table("task", "domain", "class", "session", "recordings", "seconds")
    for cell in found.cells:
        table.add_row(
            cell.task, cell.domain, cell.label, cell.session, str(cell.recordings), f"{cell.seconds:.1f}"
        )
    console.print(table)
    for line in found.warnings:
        console.print(f"warning: {line}", soft_wrap=True, markup=False)
    for line in found.errors:
        console.print(f"error: {line}", style="red", soft_wrap=True, markup=False)
