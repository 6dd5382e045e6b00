"""`roomtone bacnet`: what engineers of building systems need of the BACnet device."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from service.cli.errors import CommandError
from service.cli.site import ConfigFile, DataDir, site_settings
from service.settings import Settings
from service.store.engine import open_store

app = typer.Typer(
    help="The BACnet device of this site.",
    no_args_is_help=True,
    add_completion=False,
    epilog="Example: roomtone bacnet ede -o roomtone_EDE.csv --config site.toml",
)


@app.callback()
def bacnet() -> None:
    """The BACnet device of this site."""


@app.command(epilog="Example: roomtone bacnet ede -o roomtone_EDE.csv --config site.toml")
def ede(
    *,
    output: Annotated[Path, typer.Option("--output", "-o", help="File of the objects, CSV.")],
    config: ConfigFile = None,
    data_dir: DataDir = None,
) -> None:
    """Write the EDE files that engineering tools import: the objects, and beside it the texts of states.

    Rooms that have no number yet get theirs now, as they would when the outlet tells them first.
    """
    settings = site_settings(config, data_dir=data_dir)
    if settings.store.url is None and not settings.store_file.exists():
        raise CommandError(f"no store at {settings.store_file}: is --data-dir the one of the service?")
    texts = output.with_name(f"{output.stem.removesuffix('_EDE')}_StateTexts.csv")
    count, told = _objects(settings)
    from service.outlets.bacnet.ede import texts_file

    try:
        output.write_bytes(told.encode())
        texts.write_bytes(texts_file().encode())
    except OSError as error:
        raise CommandError(f"cannot write {error.filename}: {error.strerror}") from error
    typer.echo(f"{count} objects in {output}, texts of states in {texts}")


def _objects(settings: Settings) -> tuple[int, str]:
    from service.outlets.bacnet.ede import objects_file
    from service.outlets.bacnet.identity import device_name, identify
    from service.store.rooms import list_rooms

    section = settings.outlets.bacnet
    store = open_store(settings.store_url)
    try:
        entries, device = identify(
            store, list_rooms(store), None if section is None else section.device_instance
        )
    finally:
        store.close()
    name = device_name(None if section is None else section.device_name, device)
    told = objects_file(
        entries,
        device=device.instance,
        name=name,
        revision=device.revision,
        project=name,
        made=datetime.now(UTC),
    )
    return len(entries), told
