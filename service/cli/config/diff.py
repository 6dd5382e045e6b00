"""`roomtone config diff`: what an import of a file would change."""

from pathlib import Path
from typing import Annotated

import typer

from service.cli.config.files import read_file
from service.cli.config.site_store import opened
from service.cli.config.told import lines
from service.cli.site import ConfigFile, DataDir
from service.store.site_import import differences, read_site

app = typer.Typer(add_completion=False)


@app.command(epilog="Example: roomtone config diff site-rooms.toml")
def diff(
    file: Annotated[Path, typer.Argument(help="As `config export` writes it.")],
    *,
    config: ConfigFile = None,
    data_dir: DataDir = None,
) -> None:
    """Compare a file with the store: + new, ~ changed, member by member. Nothing is changed."""
    with opened(config, data_dir) as store:
        held = read_site(store)
    found = differences(held, read_file(file, held))
    for line in lines(found):
        typer.echo(line)
    if not found:
        typer.echo("no difference")
