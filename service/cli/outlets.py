"""`roomtone outlets`: the part that carries events and states into other systems, as one process."""

import typer

from drivers.stopping import until_told
from service.cli.site import ConfigFile, DataDir, site_settings
from service.cli.threads import one_thread
from service.logs import log_to_stderr

app = typer.Typer(add_completion=False)


@app.command(epilog="Example: roomtone outlets --config site.toml --data-dir roomtone-data")
def outlets(*, config: ConfigFile = None, data_dir: DataDir = None) -> None:
    """Feed the configured outlets and the webhooks, until told to stop (SIGINT, SIGTERM)."""
    one_thread()
    from service.outlets.site import run_outlets

    stop = until_told()
    log_to_stderr("outlets")
    run_outlets(site_settings(config, data_dir=data_dir), stop)
