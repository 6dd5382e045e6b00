"""Entry point of `roomtone`: a lazy table of commands, so that `roomtone keys` never loads a model."""

import sys
from importlib import import_module
from importlib.metadata import version
from typing import Annotated, Any, ClassVar

import typer
from rich.console import Console
from typer.core import TyperGroup

from drivers.errors import DriverError, OptionError
from service.cli.errors import CommandError
from service.errors import ServiceError

COMMANDS = {
    "run": "service.cli.run",
    "api": "service.cli.api",
    "worker": "service.cli.worker",
    "trainer": "service.cli.trainer",
    "outlets": "service.cli.outlets",
    "demo": "service.cli.demo",
    "adapter": "service.cli.adapter",
    "record": "service.cli.record",
    "replay": "service.cli.replay",
    "inspect": "service.cli.inspect",
    "decode": "service.cli.decode",
    "convert": "service.cli.convert",
    "simulate": "service.cli.simulate",
    "doctor": "service.cli.doctor",
    "traffic": "service.cli.traffic",
    "config": "service.cli.config",
    "keys": "service.cli.keys",
    "links": "service.cli.links",
    "backup": "service.cli.backup",
    "restore": "service.cli.restore",
    "bacnet": "service.cli.bacnet",
    "data": "models.training.cli_data",
    "models": "service.cli.models",
    "train": "models.training.cli_train",
    "export": "models.training.cli_export",
    "adapt": "models.training.cli_adapt",
    "evaluate": "models.training.cli_evaluate",
    "bench": "service.cli.bench",
}
"""Command name -> module that defines `app`, a Typer application."""


class LazyGroup(TyperGroup):
    """A group whose commands are imported when they are called or described."""

    table: ClassVar[dict[str, str]] = COMMANDS

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]
        """Names in the order of the table."""
        del ctx
        return list(self.table)

    def get_command(self, ctx: typer.Context, cmd_name: str) -> Any:  # type: ignore[override]  # noqa: ANN401 - a private class of typer
        """The command of that name, imported now; None if there is none."""
        del ctx
        if cmd_name not in self.table:
            return None
        try:
            app = import_module(self.table[cmd_name]).app
        except ModuleNotFoundError as error:
            app = _absent(cmd_name, error)
        command = typer.main.get_command(app)
        command.name = cmd_name  # not that of the function or group behind it: help shows this
        return command


def _absent(command: str, error: ModuleNotFoundError) -> typer.Typer:
    """What stands in for a command whose library is not installed: serving a site needs no torch.

    Raises:
        ModuleNotFoundError: it is a part of our own that is missing.
    """
    if (error.name or "").partition(".")[0] in {"", "drivers", "models", "service"}:
        raise error
    hint = (
        f"needs {error.name}, which is not installed: it comes with the extra `train` (see CONTRIBUTING.md)"
    )
    app = typer.Typer(add_completion=False)

    @app.command(
        help=f"Not available here: {hint}.",
        short_help=f"Not available here: needs {error.name}, of the extra `train`.",
        add_help_option=False,
        context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
    )
    def absent() -> None:
        raise CommandError(f"{command} {hint}")

    return app


cli = typer.Typer(
    cls=LazyGroup,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"roomtone {version('roomtone')}")
        raise typer.Exit


@cli.callback()
def root(
    *, show_version: Annotated[bool, typer.Option("--version", callback=_show_version, is_eager=True)] = False
) -> None:
    """Sense rooms through ordinary WiFi: presence and people count from channel state information."""
    del show_version


def main() -> None:
    """Run the command line; exit codes 0 ok, 1 failed, 2 usage."""
    try:
        cli()
    except (ServiceError, DriverError) as error:
        Console(stderr=True, highlight=False).print(
            f"roomtone: {error}", style="red", soft_wrap=True, markup=False
        )
        sys.exit(2 if isinstance(error, OptionError) else 1)
