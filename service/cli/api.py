"""`roomtone api`: the API and dashboard as one process."""

import socket
from pathlib import Path
from typing import Annotated

import typer
import uvicorn

from service.api.app import create_app
from service.bus.registry import open_signals
from service.cli.errors import CommandError
from service.cli.exposure import check_exposure
from service.cli.site import ConfigFile, DataDir, site_settings
from service.logs import log_to_stderr
from service.settings import ServerSettings
from service.store.engine import open_store

app = typer.Typer(help="Serve the API and the dashboard.", add_completion=False)
_SHUTDOWN_S = 5
_PING_S = 30.0


@app.command(epilog="Example: roomtone api --port 8000 --data-dir roomtone-data")
def serve(
    *,
    host: Annotated[str | None, typer.Option(help="Address to listen at.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port to listen at.")] = None,
    data_dir: DataDir = None,
    config: ConfigFile = None,
    tls_cert: Annotated[Path | None, typer.Option(help="Certificate chain (PEM).")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Private key (PEM).")] = None,
) -> None:
    """Serve the API and the dashboard until told to stop (SIGINT, SIGTERM)."""
    settings = site_settings(config, data_dir=data_dir)
    flags = {"host": host, "port": port, "tls_cert": tls_cert, "tls_key": tls_key}
    given = {name: value for name, value in flags.items() if value is not None}
    settings.server = settings.server.model_copy(update=given)
    check_exposure(settings.server)
    log_to_stderr("api")
    with listen(settings.server) as listener:
        store = open_store(settings.store_url)
        try:
            application = create_app(settings, store, lambda: open_signals(settings, "api"))
            uvicorn.Server(server_config(application, settings.server)).run(sockets=[listener])
        finally:
            store.close()


def listen(server: ServerSettings) -> socket.socket:
    """The socket to serve on.

    Raises:
        CommandError: somebody listens there, or we may not.
    """
    family = socket.AF_INET6 if ":" in server.host else socket.AF_INET
    try:
        return socket.create_server((server.host.strip("[]"), server.port), family=family, backlog=2048)
    except OSError as error:
        raise CommandError(
            f"cannot listen at {server.host} port {server.port}: {error.strerror}; "
            "stop what runs there, or choose another with --port"
        ) from error


def server_config(application: object, server: ServerSettings) -> uvicorn.Config:
    """How uvicorn is run: no access log (ours has no queries), pings every 30 s, a bounded goodbye.

    h11 also where httptools is installed: it bounds headers, and leaves unknown methods to us to answer.
    """
    return uvicorn.Config(
        application,  # type: ignore[arg-type]
        host=server.host,
        port=server.port,
        ssl_certfile=server.tls_cert,
        ssl_keyfile=server.tls_key,
        proxy_headers=server.trusted_proxy is not None,
        forwarded_allow_ips=server.trusted_proxy or "",
        access_log=False,
        log_config=None,
        http="h11",
        log_level="warning",
        server_header=False,
        ws_ping_interval=_PING_S,
        ws_ping_timeout=_PING_S,
        ws_max_size=64 * 1024,
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=_SHUTDOWN_S,
    )
