"""`roomtone api`: the API and dashboard as one process."""

import logging
import sys
from pathlib import Path
from typing import Annotated

import structlog
import typer
import uvicorn

from service.api.app import create_app
from service.bus.registry import open_signals
from service.cli.exposure import check_exposure
from service.settings import ServerSettings, load_settings
from service.store.engine import open_store

app = typer.Typer(help="Serve the API and the dashboard.")
_SHUTDOWN_S = 5
_PING_S = 30.0


@app.command(epilog="Example: roomtone api --port 8000 --data-dir roomtone-data")
def serve(
    *,
    host: Annotated[str | None, typer.Option(help="Address to listen at.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port to listen at.")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Folder of the store and the local bus.")] = None,
    config: Annotated[Path | None, typer.Option(help="Settings of the site (TOML).")] = None,
    tls_cert: Annotated[Path | None, typer.Option(help="Certificate chain (PEM).")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Private key (PEM).")] = None,
) -> None:
    """Serve the API and the dashboard until told to stop (SIGINT, SIGTERM)."""
    settings = load_settings(config, **({} if data_dir is None else {"data_dir": data_dir}))
    flags = {"host": host, "port": port, "tls_cert": tls_cert, "tls_key": tls_key}
    given = {name: value for name, value in flags.items() if value is not None}
    settings.server = settings.server.model_copy(update=given)
    check_exposure(settings.server)
    log_to_stderr()
    store = open_store(settings.store_url)
    try:
        application = create_app(settings, store, lambda: open_signals(settings, "api"))
        uvicorn.Server(server_config(application, settings.server)).run()
    finally:
        store.close()


def server_config(application: object, server: ServerSettings) -> uvicorn.Config:
    """How uvicorn is run: no access log (ours has no queries), pings every 30 s, a bounded goodbye."""
    return uvicorn.Config(
        application,  # type: ignore[arg-type]
        host=server.host,
        port=server.port,
        ssl_certfile=server.tls_cert,
        ssl_keyfile=server.tls_key,
        proxy_headers=server.trusted_proxy is not None,
        forwarded_allow_ips=server.trusted_proxy or "",
        access_log=False,
        log_level="warning",
        server_header=False,
        ws_ping_interval=_PING_S,
        ws_ping_timeout=_PING_S,
        ws_max_size=64 * 1024,
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=_SHUTDOWN_S,
    )


def log_to_stderr() -> None:
    """Our log lines go to stderr as JSON; stdout stays free."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,  # without local variables: they may hold keys
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )
