"""`roomtone config import`: rooms, links and alert rules from a file into the store, all or nothing."""

from pathlib import Path
from typing import Annotated

import typer

from service.cli.config.files import read_file
from service.cli.config.site_store import opened
from service.cli.config.told import lines
from service.cli.site import ConfigFile, DataDir
from service.store.site_import import bring_in, differences, read_site

app = typer.Typer(add_completion=False)


@app.command("import", epilog="Example: roomtone config import site-rooms.toml --yes")
def bring(
    file: Annotated[Path, typer.Argument(help="As `config export` writes it: .toml, .json or .csv.")],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without this it is only shown.")] = False,
    config: ConfigFile = None,
    data_dir: DataDir = None,
) -> None:
    """Create and change rooms, links and alert rules as a file says; what only the store has stays.

    The same checks as the API's, in one transaction, audited. A running service takes it within 5 s.
    """
    with opened(config, data_dir, existing=not yes) as store:
        held = read_site(store)
        wanted = read_file(file, held)
        changes = [one for one in differences(held, wanted) if one.after is not None]
        if yes:
            changes = bring_in(store, wanted)
    for line in lines(changes):
        typer.echo(line)
    if yes:
        typer.echo(f"{len(changes)} changed")
    else:
        typer.echo(
            f"{len(changes)} would change; nothing was changed yet: add --yes" if changes else "no difference"
        )
