"""`roomtone keys`: API keys, straight on the store."""

import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError
from rich.console import Console
from rich.table import Table

from service.bus.mesh import make_key
from service.cli.errors import CommandError
from service.cli.site import ConfigFile, DataDir, site_settings
from service.rooms.config import Name
from service.store.engine import Store, open_store
from service.store.keys import Role, create_key, list_keys, revoke_key
from service.store.rooms import get_room

app = typer.Typer(
    help="API keys. They work on the store directly, effective at once in a running service.",
    no_args_is_help=True,
    add_completion=False,
    epilog="Example: roomtone keys create --role viewer --room lab --expires 30d",
)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]
_UNITS = {"m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


@app.command(epilog="Example: roomtone keys create --role admin --name panel --expires 30d --json")
def create(
    *,
    role: Annotated[Role, typer.Option(help="What the key may do; admin > operator > viewer.")],
    room: Annotated[str | None, typer.Option(help="Only this room; by default every room.")] = None,
    name: Annotated[str, typer.Option(help="Who or what uses it.")] = "",
    expires: Annotated[
        str | None, typer.Option(help="Life of the key, e.g. 12h, 30d; default: none.")
    ] = None,
    data_dir: DataDir = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Make a key. It is printed once and kept only as a hash."""
    _check_room(room)
    expires_ns = None if expires is None else time.time_ns() + _duration_ns(expires)
    with _opened(data_dir, config) as store:
        if room is not None and get_room(store, room) is None:
            typer.echo(f"there is no room {room} yet; the key is of use once it is made", err=True)
        key, info = create_key(store, role, actor="cli", room=room, name=name, expires_ns=expires_ns)
    typer.echo(json.dumps({"key": key, **info.document()}) if as_json else key)


@app.command("list", epilog="Example: roomtone keys list --json")
def show(*, data_dir: DataDir = None, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """List all keys, without their secrets."""
    with _opened(data_dir, config, existing=True) as store:
        known = [info.document() for info in list_keys(store)]
    if as_json:
        typer.echo(json.dumps({"items": known, "next_cursor": None}))
        return
    table = Table("id", "role", "room", "name", "status", "created", "expires")
    for key in known:
        room = key["room"] or "every room"
        expires = key["expires_at"] or "never"
        table.add_row(
            key["id"], key["role"], room, key["name"] or "", key["status"], key["created_at"], expires
        )
    Console().print(table)


@app.command(epilog="Example: roomtone keys revoke abcd2345")
def revoke(
    key_id: Annotated[str, typer.Argument(help="The key's id, as `keys list` shows it.")],
    *,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """End a key at once; open alert streams that used it are closed."""
    with _opened(data_dir, config, existing=True) as store:
        if not revoke_key(store, key_id, actor="cli"):
            raise CommandError(f"no key with id {key_id!r}; `roomtone keys list` shows those there are")
    typer.echo(f"revoked {key_id}")


@app.command(epilog="Example: roomtone keys bus --data-dir roomtone-data")
def bus(*, data_dir: DataDir = None, config: ConfigFile = None) -> None:
    """Make the key that the parts of a site on several machines share; prints the file to copy to each."""
    path = site_settings(config, data_dir=data_dir).bus_key
    make_key(path)
    typer.echo(str(path))


@contextmanager
def _opened(data_dir: Path | None, config: Path | None, *, existing: bool = False) -> Iterator[Store]:
    """The store of the site these options name, closed at the end; with `existing` none is made."""
    settings = site_settings(config, data_dir=data_dir)
    if existing and settings.store.url is None and not settings.store_file.exists():
        raise CommandError(f"no store at {settings.store_file}: is --data-dir the one of the service?")
    store = open_store(settings.store_url)
    try:
        yield store
    finally:
        store.close()


def _check_room(room: str | None) -> None:
    try:
        TypeAdapter(Name | None).validate_python(room)
    except ValidationError:
        raise typer.BadParameter(
            f"{room!r} is not a room name: letters, digits, _ . - only, 64 at most", param_hint="--room"
        ) from None


def _duration_ns(text: str) -> int:
    """Nanoseconds of e.g. ``30d``."""
    match = re.fullmatch(r"(\d{1,6})([mhdw])", text)
    if match is None or int(match[1]) == 0:
        raise typer.BadParameter(
            f"{text!r} is not a duration; write e.g. 90m, 12h, 30d, 4w", param_hint="--expires"
        )
    return int(match[1]) * _UNITS[match[2]] * 10**9
