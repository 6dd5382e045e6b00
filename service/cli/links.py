"""`roomtone links`: enrolling the hosts that cards sit in, straight on the store."""

import json
import shlex
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError

from drivers import registry
from drivers.curve import ENVIRONMENT
from drivers.live import enrolment
from service.bus.registry import curve_folder
from service.certificate import own_certificate
from service.cli.address import address_for_others, free_listener, split_endpoint
from service.cli.errors import CommandError
from service.cli.exposure import is_loopback
from service.cli.site import ConfigFile, DataDir, site_settings
from service.rooms.config import Name
from service.settings import Settings
from service.store.engine import Store, open_store
from service.store.enroll import enroll as put_in_room
from service.store.links import get_link

app = typer.Typer(
    help="Links: which card's host delivers them.",
    no_args_is_help=True,
    add_completion=False,
    epilog="Example: roomtone links enroll --nic intel5300 --link l1 --room lab",
)
_SOURCES = {"intel5300": "netlink", "atheros": "dev", "nexmon": "udp:5500", "esp32": "serial:/dev/ttyUSB0"}
_FORWARDED = {**_SOURCES, "esp32": "-"}


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What a person has to do: one line on the card's host and, for a forwarder, one here.

    Both hold secrets that are kept nowhere in clear and never shown again.
    """

    link: str
    room: str
    nic: str
    line: str
    here: str | None
    notes: list[str]


@app.callback()
def links() -> None:
    """Links: which card's host delivers them."""


@app.command(
    epilog="Example: roomtone links enroll --nic intel5300 --link l1 --room lab --old-host --address 10.0.0.2"
)
def enroll(
    *,
    nic: Annotated[str, typer.Option(help="NIC of the link.")],
    link: Annotated[str, typer.Option(help="Name of the link.")],
    room: Annotated[str, typer.Option(help="Room it belongs to; made if it is not there.")],
    source: Annotated[
        str | None, typer.Option(help="Where the card's host reads it; by default as usual.")
    ] = None,
    old_host: Annotated[
        bool, typer.Option("--old-host", help="No Python 3.11 there: a forwarder, and the adapter here.")
    ] = False,
    address: Annotated[
        str | None, typer.Option(help="Name or address by which the card's host reaches this one.")
    ] = None,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Port for the forwarder; by default a free one.")
    ] = None,
    data_dir: DataDir = None,
    config: ConfigFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Put a link into a room and print the one line to paste on its card's host.

    The line holds a key or a one-time token. It is printed once; what an earlier enrolment of the link
    printed ends with this one. A running service takes the link at once.
    """
    _check_names(nic, link, room)
    settings = site_settings(config, data_dir=data_dir)
    is_new = settings.store.url is None and not settings.store_file.exists()
    _assign(settings, link=link, room=room, nic=nic)
    made = _Enrolment(settings, nic, link, room, address)
    if is_new:
        made.notes.append(f"new site in {settings.data_dir}: is that the data folder of the service?")
    told = made.of_forwarder(source, port) if old_host else made.of_adapter(source)
    if as_json:
        typer.echo(json.dumps(asdict(told)))
        return
    typer.echo(f"On the host of the card:\n\n    {told.line}\n")
    if told.here is not None:
        typer.echo(f"On this host, to keep running:\n\n    {told.here}\n")
    for note in told.notes:
        typer.echo(f"note: {note}", err=True)


class _Enrolment:
    """Makes the secrets of one link and the lines that hold them."""

    def __init__(self, settings: Settings, nic: str, link: str, room: str, address: str | None) -> None:
        self.settings, self.nic, self.link, self.room, self.address = settings, nic, link, room, address
        self.notes: list[str] = []

    def of_adapter(self, source: str | None) -> Enrolled:
        """For a host that runs the adapter itself."""
        line = self._adapter(source or _SOURCES.get(self.nic, "-"), self._endpoint_for_others())
        self.notes.append("without Roomtone there: pip install -r deploy/adapter-requirements.txt, and write")
        self.notes[-1] += " `python -m drivers` for `roomtone adapter`"
        return self._told(line, None)

    def of_forwarder(self, source: str | None, port: int | None) -> Enrolled:
        """For an old host, with the adapter on this one."""
        folder = self.settings.forward_dir / self.link
        port = port or free_listener(self.settings.forward_dir, self.link)
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            names = folder / enrolment.CERTIFICATE, folder / enrolment.KEY
            fingerprint = own_certificate(*names, name=f"roomtone {self.link}")
            token = enrolment.enrol(folder, link=self.link, nic=self.nic, port=port)
        except OSError as error:
            raise CommandError(f"cannot write {folder}: {error.strerror}") from error
        words = ["python3", "roomtone_forward.py", "--nic", self.nic, "--source"]
        words += [source or _FORWARDED.get(self.nic, "-"), "--link", self.link]
        words += ["--to", f"tls://{self._name_for_others()}:{port}", "--fingerprint", fingerprint]
        self.notes.append("copy deploy/forwarder/roomtone_forward.py to the card's host first")
        here = self._adapter(f"tls:0.0.0.0:{port}", self._endpoint_here(), enrolment_folder=folder)
        return self._told(f"ROOMTONE_TOKEN={token} {shlex.join(words)}", here)

    def _told(self, line: str, here: str | None) -> Enrolled:
        return Enrolled(self.link, self.room, self.nic, line, here, self.notes)

    def _adapter(self, source: str, endpoint: str, enrolment_folder: Path | None = None) -> str:
        words = ["roomtone", "adapter", "--nic", self.nic, "--source", source]
        if enrolment_folder is not None:
            words += ["--enrolment", str(enrolment_folder)]
        words += ["--link", self.link, "--to", endpoint]
        keys = curve_folder(self.settings)
        if keys is None:
            return shlex.join(words)
        return f"{ENVIRONMENT}={keys.enrol(self.link).text} {shlex.join(words)}"

    def _endpoint_here(self) -> str:
        host, port = split_endpoint(self.settings.ingest.endpoint)
        everywhere = {"0.0.0.0": "127.0.0.1", "*": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - read, not bound
        return self.settings.ingest.endpoint if port is None else f"tcp://{everywhere.get(host, host)}:{port}"

    def _endpoint_for_others(self) -> str:
        endpoint = self.settings.ingest.endpoint
        if self.settings.ingest.is_local:
            self.notes.append(
                f"ingest.endpoint is {endpoint}: this line works on this host only; for another host set it "
                "to tcp://0.0.0.0:5570, start the service again and enrol again"
            )
            return endpoint
        port = split_endpoint(endpoint)[1]
        return f"tcp://{self._name_for_others()}:{port}"

    def _name_for_others(self) -> str:
        if self.address is not None:
            return f"[{self.address}]" if ":" in self.address and "[" not in self.address else self.address
        host = split_endpoint(self.settings.ingest.endpoint)[0]
        name = address_for_others(host)
        if is_loopback(name):
            self.notes.append(f"{name} is this host itself; name another way here with --address")
        return name


def _check_names(nic: str, link: str, room: str) -> None:
    if nic not in registry.names():
        known = ", ".join(registry.names())
        raise typer.BadParameter(f"no NIC named {nic!r}; known: {known}", param_hint="--nic")
    for option, name in (("--link", link), ("--room", room)):
        try:
            TypeAdapter(Name).validate_python(name)
        except ValidationError:
            raise typer.BadParameter(
                f"{name!r} is no name: letters, digits, _ . - only, 64 at most", param_hint=option
            ) from None


def _assign(settings: Settings, *, link: str, room: str, nic: str) -> None:
    """Put the link into its room, unless it is in another one."""
    store = open_store(settings.store_url)
    try:
        _assign_in(store, link=link, room=room, nic=nic)
    finally:
        store.close()


def _assign_in(store: Store, *, link: str, room: str, nic: str) -> None:
    before = get_link(store, link)
    if before is not None and before.room not in {None, room}:
        raise CommandError(
            f"link {link} belongs to room {before.room}: use another link name, or move it first with "
            f"PUT /v1/links/{link}"
        )
    kept = {} if before is None else {name: before.doc[name] for name in before.doc if name == "name"}
    put_in_room(store, link=link, room=room, nic=nic, source="live", doc=kept, actor="cli")
