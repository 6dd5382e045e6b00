"""`roomtone run`: a whole site on one machine, under one supervisor."""

import os
import socket
from pathlib import Path
from typing import Annotated

import typer

from drivers.curve import ENVIRONMENT
from drivers.source import nic_of
from drivers.stopping import until_told
from service.bus.registry import curve_folder, open_ingest, open_signals
from service.cli.errors import CommandError
from service.cli.exposure import check_exposure
from service.cli.site import ConfigFile, DataDir, site_settings
from service.cli.welcome import Welcome, show_first_key
from service.logs import log_to_stderr
from service.outlets.registry import has_any
from service.settings import ServerSettings, Settings
from service.store.engine import Store, open_store
from service.store.enroll import seed
from service.store.log import DEMO_TAG
from service.store.rooms import list_rooms
from service.supervise import Part, Supervisor

app = typer.Typer(add_completion=False)
CAPTURE = "capture"
"""Link and room of the capture given to `run`."""


@app.command(epilog="Example: roomtone run --config site.toml --data-dir roomtone-data")
def run(
    *,
    config: ConfigFile = None,
    data_dir: DataDir = None,
    host: Annotated[str | None, typer.Option(help="Address the API listens at.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = None,
    demo: Annotated[bool, typer.Option(help="Simulated rooms while no room is configured.")] = True,
    tls_cert: Annotated[Path | None, typer.Option(help="Certificate chain (PEM).")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Private key (PEM).")] = None,
    capture: Annotated[Path | None, typer.Option(help="Replay this capture in real time.")] = None,
) -> None:
    """Start all parts of a site and, if no room is configured, simulated rooms; keep them running."""
    settings = site_settings(config, data_dir=data_dir)
    flags = {"host": host, "port": port, "tls_cert": tls_cert, "tls_key": tls_key}
    given = {name: value for name, value in flags.items() if value is not None}
    settings.server = settings.server.model_copy(update=given)
    check_exposure(settings.server)
    if capture is not None:
        nic_of(capture)
    stop = until_told()
    log_to_stderr("run")
    settings.server.port = _free_port(settings.server)
    _check_ingest(settings.ingest.endpoint)
    store = open_store(settings.store_url)
    seed(store, settings)
    parts = _parts(settings, config, capture, demo=demo and settings.demo and not _has_rooms(store))
    show_first_key(store, settings.data_dir)
    with open_signals(settings, "run") as signals:
        welcome = Welcome(store, _base_url(settings.server))
        Supervisor(parts, signals, _environment(settings), welcome.at_first_beat).run(stop)
    store.close()


def _parts(settings: Settings, config: Path | None, capture: Path | None, *, demo: bool) -> list[Part]:
    where = [] if config is None else ["--config", str(config)]
    names = ["worker", "api", "trainer", *(["outlets"] if has_any(settings) else [])]
    parts = [Part(name, [name, *where]) for name in names]
    if capture is not None:
        words = ["replay", str(capture), "--link", CAPTURE, "--room", CAPTURE, "--speed", "1"]
        parts.append(Part("replay", [*words, "--to", settings.ingest.endpoint], beats=False, once=True))
    elif demo:
        words = ["demo", *where, "--data-dir", str(settings.data_dir)]
        parts.append(Part("demo", words, beats=False))
    return parts


def _environment(settings: Settings) -> dict[str, str]:
    """Our environment, with what our flags say: it counts more than the file for every part."""
    server = settings.server
    said = {
        "ROOMTONE_DATA_DIR": settings.data_dir.absolute(),
        "ROOMTONE_SERVER__HOST": server.host,
        "ROOMTONE_SERVER__PORT": server.port,
        "ROOMTONE_SERVER__TLS_CERT": server.tls_cert,
        "ROOMTONE_SERVER__TLS_KEY": server.tls_key,
    }
    keys = curve_folder(settings)
    if keys is not None:  # what this site starts itself delivers to it as everybody does
        said[ENVIRONMENT] = keys.local_keys().text
    return {**os.environ, **{name: str(value) for name, value in said.items() if value is not None}}


def _has_rooms(store: Store) -> bool:
    """Whether a room is configured other than those the demo made for itself."""
    return any(DEMO_TAG not in record.config.tags for record in list_rooms(store))


def _check_ingest(endpoint: str) -> None:
    """Find out before anything starts that the endpoint is taken; a Unix socket cannot be asked."""
    if endpoint.startswith("tcp://"):
        with open_ingest(endpoint):
            pass


def _free_port(server: ServerSettings) -> int:
    """The port the API will have; found out before anything starts, so that a taken one is one clear error.

    Raises:
        CommandError: somebody listens there, or we may not.
    """
    family = socket.AF_INET6 if ":" in server.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((server.host.strip("[]"), server.port))
        except OSError as error:
            raise CommandError(
                f"cannot listen at {server.host} port {server.port}: {error.strerror}; "
                "stop what runs there, or choose another with --port"
            ) from error
        return int(probe.getsockname()[1])


def _base_url(server: ServerSettings) -> str:
    host = "127.0.0.1" if server.host in {"0.0.0.0", "::"} else server.host  # noqa: S104 - read, not bound
    host = f"[{host}]" if ":" in host else host
    return f"{'https' if server.tls_cert else 'http'}://{host}:{server.port}"
