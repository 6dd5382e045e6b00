"""`roomtone worker`: the part that turns frames into states, as one process."""

import typer

from drivers.stopping import until_told
from service.cli.site import ConfigFile, DataDir, site_settings
from service.cli.threads import one_thread
from service.logs import log_to_stderr

app = typer.Typer(add_completion=False)


@app.command(epilog="Example: roomtone worker --data-dir roomtone-data")
def worker(*, config: ConfigFile = None, data_dir: DataDir = None) -> None:
    """Take frames, predict, keep states, events and alerts, until told to stop (SIGINT, SIGTERM)."""
    one_thread()
    from service.worker.process import run_worker

    stop = until_told()
    log_to_stderr("worker")
    run_worker(site_settings(config, data_dir=data_dir), stop)
