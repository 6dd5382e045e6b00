"""Entry point of `roomtone`: a lazy table of commands, so that `roomtone keys` never loads a model."""

import sys
from importlib import import_module

import click
import typer
from rich.console import Console

from drivers.errors import DriverError
from service.cli.errors import CommandError

COMMANDS = {
    "run": "service.cli.run",
    "api": "service.cli.api",
    "worker": "service.cli.worker",
    "demo": "service.cli.demo",
    "adapter": "service.cli.adapter",
    "replay": "service.cli.replay",
    "inspect": "service.cli.inspect",
    "decode": "service.cli.decode",
    "simulate": "service.cli.simulate",
    "keys": "service.cli.keys",
    "train": "models.training.cli_train",
    "evaluate": "models.training.cli_evaluate",
    "bench": "service.cli.bench",
}
"""Command name -> module that defines `app`, a Typer application or click command."""


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called or described."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of the table."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, imported now; None if there is none."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        app = import_module(COMMANDS[cmd_name]).app
        return typer.main.get_command(app) if isinstance(app, typer.Typer) else app


@click.group(
    cls=LazyGroup,
    help="Sense rooms through ordinary WiFi: presence and people count from channel state information.",
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="roomtone")
def cli() -> None:
    """Root of all commands."""


def main() -> None:
    """Run the command line; exit codes 0 ok, 1 failed, 2 usage."""
    try:
        cli.main(standalone_mode=True)
    except (CommandError, DriverError) as error:
        Console(stderr=True, highlight=False).print(
            f"roomtone: {error}", style="red", soft_wrap=True, markup=False
        )
        sys.exit(1)
