"""`roomtone backup`: the whole site in one file, while it runs."""

import hashlib
import json
from pathlib import Path
from typing import Annotated

import typer

from service.cli.errors import CommandError
from service.cli.progress import rows_told
from service.cli.site import ConfigFile, DataDir, site_settings
from service.store.backup.write import write_backup
from service.store.engine import open_store

app = typer.Typer(add_completion=False)


@app.command(epilog="Example: roomtone backup site.tar.gz --data-dir roomtone-data")
def backup(
    file: Annotated[Path, typer.Argument(help="Archive to write; it must not be there.", metavar="FILE")],
    *,
    data_dir: DataDir = None,
    config: ConfigFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Write the store, models of one's own and keys into one archive; the service may run meanwhile.

    It holds secrets and what was sensed: keep it as you keep the data folder.
    """
    settings = site_settings(config, data_dir=data_dir)
    if settings.store.url is None and not settings.store_file.exists():
        raise CommandError(f"no store at {settings.store_file}: is --data-dir the one of the service?")
    store = open_store(settings.store_url)
    try:
        with rows_told("backing up") as told:
            manifest = write_backup(store, settings.data_dir, file, told)
    finally:
        store.close()
    rows, size = sum(manifest.rows.values()), file.stat().st_size
    with file.open("rb") as written:
        digest = hashlib.file_digest(written, "sha256").hexdigest()
    if as_json:
        typer.echo(json.dumps({"file": str(file), "bytes": size, "sha256": digest, "rows": manifest.rows}))
    else:
        typer.echo(f"{file}: {rows} rows, {size / 1e6:.1f} MB, SHA-256 {digest}")
