"""`roomtone restore`: a site as it was when it was backed up."""

import json
from pathlib import Path
from typing import Annotated

import typer

from service.cli.progress import rows_told
from service.cli.site import ConfigFile, DataDir, site_settings
from service.lock import only_one
from service.store.backup.load import restore_backup
from service.store.engine import connect_store, open_store
from service.store.part import only_part

app = typer.Typer(add_completion=False)


@app.command(epilog="Example: roomtone restore site.tar.gz --data-dir roomtone-data")
def restore(
    file: Annotated[Path, typer.Argument(help="Archive that `roomtone backup` wrote.", metavar="FILE")],
    *,
    replace: Annotated[bool, typer.Option("--replace", help="Put it in place of what is there.")] = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Make a store and its files from an archive, of whatever database it was; the service must be stopped.

    Archives of older versions are brought to today's tables.
    """
    settings = site_settings(config, data_dir=data_dir)
    with only_one(settings.socket_dir, "worker"):
        holder = connect_store(settings.store_url)
        try:
            with only_part(holder, "worker"), rows_told("restoring") as told:
                where = settings.store_url, settings.data_dir
                manifest = restore_backup(*where, file, replace=replace, told=told)
        finally:
            holder.close()
        open_store(settings.store_url).close()
    rows = sum(manifest.rows.values())
    if as_json:
        typer.echo(json.dumps({"file": str(file), "made_at": manifest.made_at, "rows": manifest.rows}))
    else:
        typer.echo(f"{rows} rows of {manifest.made_at} (Roomtone {manifest.version}) are in place")
