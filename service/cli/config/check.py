"""`roomtone config check`: every mistake in a site's settings."""

from pathlib import Path
from typing import Annotated

import typer

from service.cli.errors import CommandError
from service.cli.exposure import check_exposure
from service.configuration.load import load

app = typer.Typer(add_completion=False)


@app.command(epilog="Example: roomtone config check site.toml")
def check(
    file: Annotated[Path | None, typer.Argument(help="site.toml; without it the environment alone.")] = None,
) -> None:
    """Check settings and tell every mistake at once: key and line of the file, or the variable.

    Exit code 1 where something is wrong. Nothing is opened or changed.
    """
    loaded = load(file, {})
    try:
        check_exposure(loaded.settings.server)
    except CommandError as error:
        where = loaded.origins.get(("server", "host"), "server.host")
        raise CommandError(f"settings do not fit:\n  {where}: {error}") from error
    rooms, links = len(loaded.settings.rooms), len(loaded.settings.links)
    typer.echo(f"{file or 'environment'}: ok ({rooms} rooms and {links} links to create)")
