"""`roomtone trainer`: the part that gives rooms heads of their own, as one process."""

import typer

from drivers.stopping import until_told
from service.cli.site import ConfigFile, DataDir, site_settings
from service.cli.threads import one_thread
from service.logs import log_to_stderr

app = typer.Typer(add_completion=False)


@app.command(epilog="Example: roomtone trainer --data-dir roomtone-data")
def trainer(*, config: ConfigFile = None, data_dir: DataDir = None) -> None:
    """Run adaptation jobs at low priority, until told to stop (SIGINT, SIGTERM).

    Without torch (the extra `train`) it offers the instant methods alone.
    """
    one_thread()
    from service.trainer.process import run_trainer

    stop = until_told()
    log_to_stderr("trainer")
    run_trainer(site_settings(config, data_dir=data_dir), stop)
